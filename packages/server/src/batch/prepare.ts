import { stat } from 'node:fs/promises';
import { conflict, invalid, unsupported } from '../kernel/index.ts';
import type { ModelPackage } from '../registry/index.ts';
import { planColumns } from '../serving/index.ts';
import { fingerprintOf, formatOf, isWithin, locateTable, type PathAccess, staticPrefix, type TableFormat } from '../tables/index.ts';
import type { BatchInputEngine } from './batch-input.port.ts';
import { planFeatures } from './features.ts';
import { notOurs, type OutputFolder } from './output-folder.ts';
import { passthroughOf } from './runner.ts';
import type { BatchSpec, Fingerprint } from './types.ts';

export interface Prepared {
  output: string;
  fingerprint: Fingerprint;
  /** Throws unless a new job may write there. */
  claim(folder: OutputFolder, found: Awaited<ReturnType<OutputFolder['look']>>, spec: BatchSpec): Promise<void>;
}

/** Everything that can be said about a job before it runs, so that what is wrong is said to whoever asked, and before anything is written. */
export async function prepare(spec: BatchSpec, pkg: ModelPackage, { input, access }: { input: BatchInputEngine; access: PathAccess }): Promise<Prepared> {
  if (pkg.runtime === null || pkg.tensors === null)
    throw unsupported(
      'not_servable',
      `${pkg.model} version ${pkg.version} cannot predict. ${pkg.problem ?? 'It has no ONNX graph: log it with mlflow.onnx, or push an .onnx file.'}`,
    );
  if (spec.output.trim() === '' || spec.output.includes('\0'))
    throw invalid('output_missing', 'The output is no path. Name a folder, or with singleFile a file.');
  // Before anything is looked at: what is not allowed must not tell whether it is there.
  await access.check(staticPrefix(spec.input));
  const location = await locateTable(spec.input, spec.inputFormat);
  for (const file of location.files) await access.check(file.path);
  const output = await access.check(spec.output);
  const outputFormat = chooseFormat(spec, location.format);
  const dir = spec.singleFile ? `${output}.parts` : output;
  if (spec.singleFile) await access.check(dir);
  const inside = location.files.find(({ path }) => path === output || isWithin(dir, path));
  if (inside !== undefined) throw invalid('batch_output_is_input', `The input ${inside.path} is in the output ${dir}. Write somewhere else.`);

  const { columns, features } = await input.inspect({ ...location, select: spec.select, where: spec.where, threads: 1 });
  input.check(planFeatures({ columns: planColumns(pkg.signature, pkg.tensors.inputs).columns, inputs: pkg.tensors.inputs }, features), features);
  passthroughOf({ spec }, { columns });
  if (spec.timestampColumn !== undefined && !columns.some(({ name }) => name === spec.timestampColumn))
    throw invalid(
      'missing_column',
      `The input lacks the column '${spec.timestampColumn}' (timestampColumn); it has ${columns.map(({ name }) => name).join(', ')}.`,
      { details: { missing: [spec.timestampColumn] } },
    );

  return {
    output,
    fingerprint: {
      model: pkg.model,
      version: pkg.version,
      packageId: pkg.id,
      input: fingerprintOf(location),
      chunkRows: spec.chunkRows,
      outputFormat,
      singleFile: spec.singleFile,
      columns: spec.columns ?? null,
      select: spec.select ?? null,
      where: spec.where ?? null,
      withIds: spec.monitor,
    },
    async claim(folder, found, { overwrite, singleFile }) {
      if (found.foreign.length > 0) throw notOurs(folder.dir, found.foreign);
      if (singleFile) {
        const status = await stat(output).catch(() => undefined);
        if (status?.isDirectory()) throw conflict('batch_output_exists', `${output} is a folder. With singleFile the output is a file.`);
        if (status !== undefined && !overwrite) throw conflict('batch_output_exists', `${output} exists. Choose another name, or overwrite it.`);
        if (status !== undefined && !(status.isFile() && (found.manifest?.fingerprint.singleFile === true || formatOf(output) !== undefined)))
          throw conflict(
            'batch_output_foreign',
            `${output} exists and is neither a table by its ending nor what an earlier batch job wrote, so it is not overwritten. Choose another name.`,
          );
      }
      if (found.manifest !== null && !overwrite) {
        const what = found.success ? 'holds the finished output' : 'holds the unfinished output';
        throw conflict(
          'batch_output_not_empty',
          `${folder.dir} ${what} of the job ${found.manifest.jobId}. Resume it, overwrite it, or choose another folder.`,
          { details: { job: found.manifest.jobId } },
        );
      }
    },
  };
}

function chooseFormat(spec: BatchSpec, input: TableFormat): TableFormat {
  if (spec.outputFormat !== 'auto') return spec.outputFormat;
  return formatOf(spec.output) ?? input;
}
