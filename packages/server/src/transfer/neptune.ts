import { messageOf } from '../kernel/index.ts';
import type { ImportTarget } from './import-target.port.ts';
import { type Forkable, ForkLinker } from './neptune-forks.ts';
import { importRegistry } from './neptune-registry.ts';
import { importRun, type NeptuneImport, type NeptuneReport } from './neptune-run.ts';

export type { NeptuneReport } from './neptune-run.ts';

/**
 * Brings the output of neptune-exporter into a Binnacle. A project becomes an experiment, a run a run; single values become params (those of `sys/` tags), series of
 * floats metrics, those of strings, histograms and files what they are, files artifacts under `neptune/`, forks forks, the model registry registered models. Done again, it goes on where it stopped: a
 * finished run is known by a tag.
 */
export async function importNeptune({ source, target, files, dryRun, progress }: NeptuneImport): Promise<NeptuneReport> {
  const { runs, models, versions } = await source.runs();
  const report: NeptuneReport = {
    dryRun,
    runs: 0,
    imported: 0,
    unchanged: 0,
    failed: [],
    incomplete: [],
    params: 0,
    points: 0,
    entries: 0,
    files: 0,
    forks: 0,
    notes: [],
    models: 0,
    versions: 0,
  };
  const there = new Map<string, Awaited<ReturnType<ImportTarget['runsByTag']>>>();
  const forks: Forkable[] = [];
  const linker = new ForkLinker(target, dryRun, ({ project, run }, what) => report.notes.push({ project, run, attribute: 'sys/forking/parent', what }));
  for (const [i, run] of runs.entries()) {
    progress?.(i, runs.length, `${run.project}/${run.name}`);
    if (!run.complete) {
      report.incomplete.push({ project: run.project, run: run.name });
      continue;
    }
    report.runs++;
    try {
      const fork = await importRun({ source, target, files, dryRun, run, there, linker, experimentOf: (projectId) => projectId, report });
      if (fork.parent !== null) forks.push(fork);
      await linker.add(fork);
    } catch (error) {
      report.failed.push({ project: run.project, run: run.name, message: messageOf(error) });
    }
  }
  report.forks = forks.length;
  linker.finish(forks);
  await importRegistry({ source, target, files, dryRun, there, report, models, versions, progress });
  return report;
}
