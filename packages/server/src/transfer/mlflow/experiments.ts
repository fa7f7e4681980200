import { isElsewhere } from '../../artifacts/index.ts';
import { messageOf } from '../../kernel/index.ts';
import type { SourceExperiment } from '../mlflow-source.port.ts';
import { type Context, digestOf } from './context.ts';
import { addTo, count, fail } from './report.ts';

/** What a later import knows it by. MLflow's first versions noted no time, and ids alone are the same in every database. */
const sourceOf = ({ id, name, createdAt }: SourceExperiment): string => `${id}@${createdAt || digestOf(name)}`;

/** Experiments, which everything else is in. */
export async function importExperiments(context: Context): Promise<void> {
  const { source, target, report, dryRun, experimentIds } = context;
  const all = await source.experiments();
  const names = new Set(context.experiments);
  const wanted = names.size === 0 ? all : all.filter(({ name }) => names.has(name));
  for (const name of names)
    if (!all.some((experiment) => experiment.name === name)) fail(report, 'experiments', `experiment ${JSON.stringify(name)}`, 'there is none of that name');
  const known = dryRun ? await target.known('experiment', wanted.map(sourceOf)) : undefined;
  for (const experiment of wanted) {
    const what = `experiment ${experiment.id} (${experiment.name})`;
    if (dryRun) {
      experimentIds.set(experiment.id, experiment.id);
      report.experiments[known?.has(sourceOf(experiment)) ? 'unchanged' : 'created']++;
      continue;
    }
    try {
      const result = await target.importExperiment({
        ...experiment,
        source: sourceOf(experiment),
        createdAt: experiment.createdAt || Date.now(),
        updatedAt: experiment.updatedAt || Date.now(),
        artifactLocation: isElsewhere(experiment.artifactLocation) ? experiment.artifactLocation : null,
      });
      experimentIds.set(experiment.id, result.experimentId);
      count(report, 'experiments', what, result);
      if (result.experimentId !== null && result.experimentId !== experiment.id)
        addTo(report, 'mapped', { experiment: experiment.name, from: experiment.id, to: result.experimentId });
    } catch (error) {
      fail(report, 'experiments', what, messageOf(error));
    }
  }
}
