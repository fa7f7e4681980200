import { messageOf } from '../../kernel/index.ts';
import type { SourceLoggedModel } from '../mlflow-source.port.ts';
import { type Context, digestOf, wantedExperiments } from './context.ts';
import { copyFiles, filesKnown, planFiles } from './files.ts';
import { count, fail } from './report.ts';

const whatOf = ({ modelId, name }: SourceLoggedModel): string => `logged model ${modelId} (${name})`;

/** Logged models with their files. One that is as it was when it last came in whole costs no request of its own. */
export async function importLoggedModels(context: Context): Promise<void> {
  const { source, target, report } = context;
  for await (const page of source.loggedModels(wantedExperiments(context))) {
    const known = await target.known(
      'logged-model',
      page.map(({ modelId }) => modelId),
    );
    const finished: { id: string; digest: string }[] = [];
    for (const model of page) {
      try {
        const digest = await importOne(context, model, known);
        if (digest !== undefined) finished.push({ id: model.modelId, digest });
      } catch (error) {
        fail(report, 'loggedModels', whatOf(model), messageOf(error));
      }
    }
    await target.finish('logged-model', finished);
  }
}

/** Returns its digest when it is here whole since now. */
async function importOne(context: Context, model: SourceLoggedModel, known: ReadonlyMap<string, string | null>): Promise<string | undefined> {
  const { source, target, report, artifacts, recheck, dryRun } = context;
  const { artifactUri, ...fields } = model;
  const own = digestOf([fields, artifactUri]);
  const [ownBefore, filesBefore] = (known.get(model.modelId) ?? '').split('.');
  const ended = model.status === 'LOGGED_MODEL_READY' || model.status === 'LOGGED_MODEL_UPLOAD_FAILED';
  const same = own === ownBefore && !recheck;
  const unchanged = () => void report.loggedModels.unchanged++;
  if (same && ended && (artifacts ? !source.listsForNothing && filesKnown(filesBefore) : filesBefore !== undefined)) {
    unchanged();
    return undefined;
  }
  const plan = await planFiles(context, { kind: 'logged-model', id: model.modelId, uri: artifactUri });
  if (same && plan.digest === filesBefore) {
    unchanged();
    return undefined;
  }
  if (dryRun) {
    report.loggedModels[known.has(model.modelId) ? 'updated' : 'created']++;
    return undefined;
  }
  const experimentId = context.experimentIds.get(model.experimentId) as string;
  const result = await target.importLoggedModel({ ...fields, experimentId, artifactUri: plan.uri });
  const copied = report.files.copied;
  const whole = result.artifactUri === null || (await copyFiles(context, whatOf(model), result.artifactUri, plan.files, !known.has(model.modelId)));
  const outcome = result.outcome === 'unchanged' && report.files.copied > copied ? 'updated' : result.outcome;
  count(report, 'loggedModels', whatOf(model), { outcome, kept: result.kept });
  return whole && outcome !== 'removed' ? `${own}.${plan.digest}` : undefined;
}
