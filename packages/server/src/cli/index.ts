import { Command, CommanderError, Option } from '@commander-js/extra-typings';
import { VERSION } from '../version.ts';
import { describeError, EXIT_FAILED, EXIT_USAGE, red, say } from './output.ts';
import { addEndpointCommands } from './endpoint-commands.ts';
import { url, data, json, integer, number, collect } from './options.ts';
import { UsageError } from './usage.ts';

/** The whole command line; each command's module is imported when it runs, so that `--help` is quick. */
export function buildProgram(): Command {
  const program = new Command('binnacle')
    .description('From a notebook to monitored production: track, register, serve, predict in batch, monitor.')
    .version(VERSION)
    .showHelpAfterError('(binnacle <command> --help says more)');

  program
    .command('up')
    .description('start the server')
    .addOption(data())
    .option('--host <host>', 'address to listen on (default 127.0.0.1; a wider one needs a token)')
    .option('--port <n>', 'port to listen on, 0 for a free one (default 8000)', integer)
    .option('--grpc-port <n>', 'port of gRPC (default: the one after --port; -1: no gRPC)', integer)
    .option('--token <token>', 'token that clients must send (BINNACLE_TOKEN)')
    .option('--allowed-host <name>', 'further host name that the server answers to (repeatable)', collect)
    .option('--default-endpoint <name>', 'endpoint that POST /invocations serves')
    .option('--model-repository <dir>', 'serve a folder of models laid out as for Triton (repeatable)', collect)
    .option('--model-control-mode <mode>', 'none, poll or explicit: how the repository is followed (default none)')
    .option('--repository-poll-secs <n>', 'seconds between two looks at the repository in the mode poll (default 15)', integer)
    .option('--load-model <name>', "model of the repository to load at the start in the mode explicit, '*' for all (repeatable)", collect)
    .option('--shared-memory', 'let clients hand over tensors in /dev/shm (default: where only this machine can reach the server)')
    .option('--no-shared-memory', 'do not')
    .option('--python <how>', 'how models that need Python run: container, environment or off (default container)')
    .option('--python-interpreter <file>', 'a Python that already has mlflow and what the models need, for --python environment')
    .option('--python-image <image>', 'an image that already has mlflow and what the models need, for --python container')
    .option('--python-network <mode>', 'what containers reach: none, bridge or host (default none on Linux, else bridge)')
    .option('--python-env <name>', 'variable of this environment that Python models, pip and uv may see (repeatable)', collect)
    .option('--artifacts <url>', 'keep the artifacts in an S3 bucket: s3://bucket/prefix')
    .option('--database <url>', 'postgres:// or mysql:// URL of the metadata (BINNACLE_DATABASE; default SQLite in the data directory)')
    .option('--remote-host <host>', 'host that remote models may run at: host, host:port, *.domain (repeatable; default any)', collect)
    .option('--remote-secrets <dir>', 'folder whose files may be tokens of remote models')
    .option('--batch-root <dir>', 'folder that batch jobs may read and write (repeatable)', collect)
    .option('--log-level <level>', 'debug, info, warn, error or silent')
    .option('--no-monitoring', 'do not log or profile predictions')
    .action(async (options) => (await import('./commands/up.ts')).up(options));

  program
    .command('demo')
    .description('carry a real model to production on real data, then stay up')
    .option('--data <dir>', "the demo's own data directory (default .binnacle-demo in this folder; BINNACLE_DATA does not count)")
    .option('--port <n>', 'port to listen on (default: a free one)', integer)
    .option('--exit', 'stop after the summary')
    .addOption(json())
    .action(async (options) => (await import('./commands/demo.ts')).demo(options));

  program
    .command('doctor')
    .description('check this machine and the data directory, and with --url a server')
    .addOption(data())
    .option('--url <url>', 'server that should answer (BINNACLE_URL)')
    .addOption(json())
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));

  program
    .command('backup')
    .description('save everything a server holds, while it works')
    .argument('<file.tar|dir>', 'where to: a .tar file, or a folder that does not exist yet')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (target, options) => (await import('./commands/backup.ts')).backup(target, options));

  program
    .command('restore')
    .description('make a data directory of a backup')
    .argument('<backup>', 'what binnacle backup wrote: a .tar file or a folder')
    .addOption(new Option('--data <dir>', 'the new data directory, empty or not there (BINNACLE_DATA; default ~/.binnacle)'))
    .addOption(json())
    .action(async (from, options) => (await import('./commands/restore.ts')).restore(from, options));

  program
    .command('migrate')
    .description('move the metadata to another database, and prove it; interrupted, it goes on when run again')
    .option('--to <url>', 'an empty database: postgres://…, mysql://… or sqlite:PATH (BINNACLE_MIGRATE_TO)')
    .option('--database <url>', 'the one to move (BINNACLE_DATABASE; default SQLite in the data directory)')
    .option('--artifacts <url>', 'copy the artifacts as well: s3://bucket/prefix')
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/migrate.ts')).migrate(options));

  program
    .command('gc')
    .description('say what was deleted and can go for good; with --yes remove it')
    .option('--older-than <age>', 'deleted at least this long ago: 30d, 12h, 0', '30d')
    .option('--dry-run', 'only say it (the default)')
    .option('--yes', 'remove it')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/gc.ts')).gc(options));

  program
    .command('export')
    .description('write runs, params, tags and metrics as Parquet and the registry as JSON')
    .requiredOption('--to <dir>', 'a folder that does not exist yet')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/export.ts')).exportTo(options));

  const imports = program.command('import').description('bring in what another tracker has left');
  imports
    .command('neptune')
    .description("read neptune-exporter's output: runs, series, files, forks; done again, it goes on where it stopped")
    .argument('<dir>', 'the folder with <project>/<run>_part_<n>.parquet')
    .option('--files <dir>', 'the folder with the exported files (default: files beside it, when there is one)')
    .option('--dry-run', 'only say what would be imported')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (dir, options) => (await import('./commands/import-neptune.ts')).importFromNeptune(dir, options));
  imports
    .command('mlflow')
    .description('read an MLflow: experiments, runs, logged models, registry, artifacts, under the ids that they have; done again, it adds what is new')
    .argument('<source>', "MLflow's database (mlflow.db, sqlite:///mlflow.db), or the URL of its server")
    .option('--artifacts <dir>', "where the artifacts are now: the server's artifact folder, or mlruns (default: where they were)")
    .option('--no-artifacts', 'leave files out')
    .option('--experiment <name>', 'only this experiment (repeatable); the registry then stays out', collect)
    .option('--dry-run', 'only say what would be imported')
    .option('--recheck', 'read again what has not changed since it was imported')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (source, options) => (await import('./commands/import-mlflow.ts')).importFromMlflow(source, options));

  program
    .command('sync')
    .description('send the runs that were logged offline; done again, or beside another, it does no harm')
    .argument('<dir>', "the folder of offline runs, or one run's own")
    .option('--watch', 'go on, until Ctrl-C: runs that are still written follow')
    .option('--interval <seconds>', 'between two rounds of --watch (default 5)', number)
    .option('--keep', 'leave what is complete in the folder, marked (default: it is removed)')
    .option('--end-interrupted', 'runs without an end whose process cannot be seen from here are over, too')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (dir, options) => (await import('./commands/sync.ts')).sync(dir, options));

  const runs = program.command('runs').description('experiment runs');
  runs
    .command('ls')
    .description('list runs, newest first')
    .option('-e, --experiment <name>', 'experiment name or id (default: all)')
    .option('-f, --filter <filter>', "MLflow filter, such as 'metrics.auc > 0.7'")
    .option('-o, --order-by <column>', "such as 'metrics.auc DESC' (repeatable)", collect)
    .option('-n, --limit <n>', 'how many', integer, 20)
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/runs.ts')).list(options));
  runs
    .command('show')
    .description('one run')
    .argument('<run>', 'run id')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (run, options) => (await import('./commands/runs.ts')).show(run, options));

  const models = program.command('models').description('registered models');
  models
    .command('ls')
    .description('list models')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/models.ts')).list(options));
  models
    .command('show')
    .description('a model and its versions')
    .argument('<model>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (model, options) => (await import('./commands/models.ts')).show(model, options));
  models
    .command('push')
    .description('register an ONNX file, an ensemble, or a model that another server executes, as a new version')
    .argument('[file]', 'an .onnx file, or the MLmodel file of an ensemble')
    .requiredOption('--name <name>', 'registered model')
    .option('--description <text>')
    .option('--remote <url>', 'the server that executes it: http(s)://host:port, grpc(s)://host:port, lambda://region')
    .addOption(
      new Option('--protocol <protocol>', 'what that server speaks (default open-inference)').choices([
        'open-inference',
        'open-inference-grpc',
        'tensorflow-serving',
        'tensorflow-serving-grpc',
        'mlflow',
        'lambda',
      ] as const),
    )
    .option('--remote-model <name>', 'what that server calls it (default the name)')
    .option('--remote-version <version>', 'a version there (default what the server picks)')
    .option('--token <reference>', 'env:BINNACLE_REMOTE_TOKEN… or file:/path of the server, never the secret itself')
    .option('--timeout-ms <ms>', 'longest time that an answer may take', integer)
    .addOption(new Option('--payload <protocol>', 'what a Lambda function is sent').choices(['open-inference', 'mlflow'] as const))
    .option('--signature <file>', 'an MLmodel file whose signature the version has (mlflow and lambda need it)')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (file, options) => (await import('./commands/models.ts')).push(file, options));
  models
    .command('promote')
    .description('move an alias to a version; the gates of a guarded alias run first')
    .argument('<model/version>', 'such as flight-delays/3')
    .requiredOption('--alias <alias>', 'such as champion')
    .option('--force', 'move it although a gate fails; needs --reason, which is recorded')
    .option('--reason <text>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (ref, options) => (await import('./commands/models.ts')).promote(ref, options));

  program
    .command('deploy')
    .description('serve a model at an endpoint')
    .argument('<model@alias|model/version>', 'such as flight-delays@champion')
    .option('--endpoint <name>', "endpoint name (default: the model's)")
    .option('--canary <percent>', 'give this version only a share of the traffic beside what is served now', number)
    .option('--shadow', 'only a copy of the traffic, after the reply')
    .option('--guard <bounds>', 'when the canary is rolled back by itself, such as errors=5%,latency=2x,drift=0.2', collect)
    .option('--split-by <what>', 'divide the traffic by header:NAME or cookie:NAME, so that a user stays with a version')
    .option('--config <file>', 'JSON that replaces the configuration')
    .option('--set <key=value>', 'one value of the configuration, such as isolation=process (repeatable)', collect)
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (ref, options) => (await import('./commands/deploy.ts')).deploy(ref, options));

  addEndpointCommands(program);

  program
    .command('predict')
    .description('ask an endpoint')
    .argument('<endpoint>')
    .requiredOption('-i, --input <file>', 'CSV, JSON (an invocations body or a list of rows), JSON Lines, or an image (PNG, JPEG); - for standard input')
    .option('--image-scale <scale>', "what an image's values become: 0-1 (default), 0-255 or imagenet")
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (endpoint, options) => (await import('./commands/predict.ts')).predict(endpoint, options));

  const batch = program.command('batch').description('batch prediction');
  batch
    .command('run')
    .description('predict over a file, folder or glob of CSV, JSON Lines or Parquet')
    .requiredOption('--model <model@alias|model/version>', 'such as flight-delays@champion')
    .requiredOption('-i, --input <path>', 'file, folder or glob')
    .requiredOption('-o, --output <path>', 'output folder, or with --single-file the file')
    .option('--single-file', 'merge the parts into one file at the end')
    .option('--resume', 'go on where an earlier job into the same output stopped')
    .option('--overwrite', "replace an earlier job's output")
    .option('--output-format <format>', 'csv, jsonl or parquet')
    .option('--select <sql>', 'select list that makes the features from the input columns')
    .option('--where <sql>', 'condition on the input rows')
    .option('--columns <names>', 'input columns to pass through, comma-separated (default: all)')
    .option('--chunk-rows <n>', 'rows a chunk', integer)
    .option('--workers <n>', 'model sessions side by side', integer)
    .option('--max-error-rate <share>', 'share of bad rows above which the job fails (default 0)', number)
    .option('--timestamp-column <name>', 'event time of a row, for monitoring')
    .option('--no-monitor', 'do not feed monitoring')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/batch.ts')).run(options));
  batch
    .command('ls')
    .description('list jobs')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/batch.ts')).list(options));
  batch
    .command('show')
    .description('one job')
    .argument('<job>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (job, options) => (await import('./commands/batch.ts')).show(job, options));

  const monitors = program.command('monitors').description('what the models did');
  monitors
    .command('ls')
    .description('counts, drift and alarms by endpoint')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (options) => (await import('./commands/monitors.ts')).list(options));
  monitors
    .command('show')
    .description('drift by window and quality of an endpoint')
    .argument('<endpoint>')
    .addOption(url())
    .addOption(data())
    .addOption(json())
    .action(async (name, options) => (await import('./commands/monitors.ts')).show(name, options));
  return program as unknown as Command;
}

/** Runs the command line and returns the exit code: 0 done, 1 failed, 2 used wrongly. */
export async function runCli(argv: string[]): Promise<number> {
  const program = buildProgram();
  const strict = (command: Command): void => {
    command.exitOverride();
    for (const sub of command.commands) strict(sub as Command);
  };
  strict(program);
  try {
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    say(`${red('error:')} ${describeError(error)}`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}
