import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.mlflow.api.proto.ModelRegistry.ModelVersion;
import org.mlflow.api.proto.Service.CreateRun;
import org.mlflow.api.proto.Service.Experiment;
import org.mlflow.api.proto.Service.Metric;
import org.mlflow.api.proto.Service.Param;
import org.mlflow.api.proto.Service.Run;
import org.mlflow.api.proto.Service.RunInfo;
import org.mlflow.api.proto.Service.RunStatus;
import org.mlflow.api.proto.Service.RunTag;
import org.mlflow.api.proto.Service.ViewType;
import org.mlflow.tracking.ExperimentsPage;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowHttpException;
import org.mlflow.tracking.RunsPage;

/** What a user of the Java client does, against the tracking URI given. Throws at what is not as it should be; prints one line a step. */
public class Journey {
  public static void main(String[] args) throws Exception {
    try (MlflowClient client = new MlflowClient(args[0])) {
      String experiment = experiments(client);
      String run = runs(client, experiment);
      searches(client, experiment, run);
      registry(client, run);
    }
    System.out.println("done");
  }

  static String experiments(MlflowClient client) {
    String id = client.createExperiment("java");
    refused(400, "RESOURCE_ALREADY_EXISTS", () -> client.createExperiment("java"));
    client.setExperimentTag(id, "team", "tide");
    client.renameExperiment(id, "java renamed");
    same("java renamed", client.getExperiment(id).getName());
    same("tide", client.getExperiment(id).getTags(0).getValue());
    same(id, client.getExperimentByName("java renamed").map(Experiment::getExperimentId).orElse("none"));
    same(false, client.getExperimentByName("nobody").isPresent());
    client.deleteExperiment(id);
    same("deleted", client.getExperiment(id).getLifecycleStage());
    client.restoreExperiment(id);
    client.createExperiment("java other");
    ExperimentsPage page = client.searchExperiments("name LIKE 'java%'", ViewType.ACTIVE_ONLY, 1, Arrays.asList("name ASC"));
    List<String> names = new ArrayList<>();
    while (true) {
      for (Experiment found : page.getItems()) names.add(found.getName());
      if (!page.hasNextPage()) break;
      page = (ExperimentsPage) page.getNextPage();
    }
    same(Arrays.asList("java other", "java renamed"), names);
    System.out.println("ok experiments");
    return id;
  }

  static String runs(MlflowClient client, String experiment) throws Exception {
    RunInfo info = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setRunName("sailing").setStartTime(1700000000123L).setUserId("ada").build());
    String run = info.getRunId();
    same(1700000000123L, info.getStartTime());
    client.logParam(run, "lr", "0.1");
    client.logParam(run, "lr", "0.1");
    refused(400, "INVALID_PARAMETER_VALUE", () -> client.logParam(run, "lr", "0.2"));
    client.logMetric(run, "loss", 0.5, 1700000000200L, 0);
    client.logMetric(run, "loss", Double.NaN, 1700000000300L, 1);
    client.logMetric(run, "loss", 0.25, 1700000000400L, 3000000000L);
    client.setTag(run, "größe", "日本");
    client.setTag(run, "gone", "x");
    client.deleteTag(run, "gone");
    List<Metric> metrics = new ArrayList<>();
    for (int i = 0; i < 900; i++) metrics.add(Metric.newBuilder().setKey("many").setValue(i).setTimestamp(1000 + i).setStep(i).build());
    for (int attempt = 0; attempt < 2; attempt++)
      client.logBatch(run, metrics, Arrays.asList(Param.newBuilder().setKey("depth").setValue("3").build()), Arrays.asList(RunTag.newBuilder().setKey("k").setValue("v").build()));
    client.setTerminated(run, RunStatus.FAILED, 1700000009000L);

    Run found = client.getRun(run);
    same(RunStatus.FAILED, found.getInfo().getStatus());
    same(1700000009000L, found.getInfo().getEndTime());
    Map<String, String> params = new TreeMap<>();
    for (Param param : found.getData().getParamsList()) params.put(param.getKey(), param.getValue());
    same("{depth=3, lr=0.1}", params.toString());
    Map<String, Double> latest = new TreeMap<>();
    for (Metric metric : found.getData().getMetricsList()) latest.put(metric.getKey(), metric.getValue());
    same("{loss=0.25, many=899.0}", latest.toString());
    same(900, client.getMetricHistory(run, "many").size());
    List<Metric> loss = client.getMetricHistory(run, "loss");
    same(true, Double.isNaN(loss.get(1).getValue()));
    same(3000000000L, loss.get(2).getStep());
    refused(404, "RESOURCE_DOES_NOT_EXIST", () -> client.getRun("nobody"));

    client.deleteRun(run);
    same("deleted", client.getRun(run).getInfo().getLifecycleStage());
    client.restoreRun(run);
    Path file = Files.createTempDirectory("journey").resolve("note.txt");
    Files.write(file, "ahoy".getBytes(StandardCharsets.UTF_8));
    client.logArtifact(run, file.toFile(), "notes");
    same("notes/note.txt", client.listArtifacts(run, "notes").get(0).getPath());
    File copy = client.downloadArtifacts(run, "notes/note.txt");
    same("ahoy", new String(Files.readAllBytes(copy.toPath()), StandardCharsets.UTF_8));
    System.out.println("ok runs");
    return run;
  }

  static void searches(MlflowClient client, String experiment, String run) {
    for (int i = 0; i < 5; i++) {
      RunInfo info = client.createRun(CreateRun.newBuilder().setExperimentId(experiment).setStartTime(i).build());
      client.logMetric(info.getRunId(), "score", i);
    }
    List<String> ids = Collections.singletonList(experiment);
    same(1, client.searchRuns(ids, "params.lr = '0.1' and metrics.loss < 1").size());
    same(run, client.searchRuns(ids, "tags.`größe` LIKE '日%'").get(0).getRunId());
    RunsPage page = client.searchRuns(ids, "metrics.score >= 1", ViewType.ACTIVE_ONLY, 3, Arrays.asList("metrics.score DESC"));
    List<Double> scores = new ArrayList<>();
    while (true) {
      for (Run found : page.getItems()) scores.add(found.getData().getMetrics(0).getValue());
      if (!page.hasNextPage()) break;
      page = (RunsPage) page.getNextPage();
    }
    same(Arrays.asList(4.0, 3.0, 2.0, 1.0), scores);
    same(0, client.searchRuns(ids, "", ViewType.DELETED_ONLY).size());
    refused(400, "INVALID_PARAMETER_VALUE", () -> client.searchRuns(ids, "nonsense"));
    System.out.println("ok searches");
  }

  static void registry(MlflowClient client, String run) throws Exception {
    client.sendPost("registered-models/create", "{\"name\": \"java\"}");
    for (int i = 0; i < 3; i++)
      client.sendPost("model-versions/create", "{\"name\": \"java\", \"source\": \"s3://bucket/" + i + "\", \"run_id\": \"" + run + "\"}");
    client.sendPost("model-versions/transition-stage", "{\"name\": \"java\", \"version\": \"2\", \"stage\": \"Production\"}");
    client.sendPatch("model-versions/update", "{\"name\": \"java\", \"version\": \"2\", \"description\": \"the best\"}");
    same("java", client.getRegisteredModel("java").getName());
    ModelVersion version = client.getModelVersion("java", "2");
    same("Production", version.getCurrentStage());
    same("the best", version.getDescription());
    same(run, version.getRunId());
    same("s3://bucket/1", client.getModelVersionDownloadUri("java", "2"));
    same(2, client.getLatestVersions("java").size());
    same("2", client.getLatestVersions("java", Arrays.asList("Production")).get(0).getVersion());
    same(3, client.searchModelVersions("name = 'java'").getItems().size());
    same("3", client.searchModelVersions("run_id = '" + run + "'", 1, Arrays.asList("version_number DESC")).getItems().get(0).getVersion());
    refused(404, "RESOURCE_DOES_NOT_EXIST", () -> client.getModelVersion("java", "9"));
    System.out.println("ok registry");
  }

  interface Call {
    void run() throws Exception;
  }

  static void refused(int status, String code, Call call) {
    try {
      call.run();
    } catch (MlflowHttpException error) {
      same(status, error.getStatusCode());
      if (!error.getBodyMessage().contains(code)) throw new AssertionError(error.getBodyMessage());
      return;
    } catch (Exception error) {
      throw new AssertionError(error);
    }
    throw new AssertionError("not refused: " + code);
  }

  static void same(Object expected, Object actual) {
    if (!Objects.equals(expected, actual)) throw new AssertionError("expected " + expected + ", got " + actual);
  }
}
