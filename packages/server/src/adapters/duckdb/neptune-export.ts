import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, messageOf } from '../../kernel/index.ts';
import type { ExportedRun, NeptuneExport, Scalar, ScalarType, SeriesRow, SeriesShape, SeriesType } from '../../transfer/index.ts';
import { openDuckDb, quoteLiteral, quotePath } from './instance.ts';

/** `.tmp` until the run was exported to its end. */
const PART = /^(.+)_part_(\d+)\.parquet(\.tmp)?$/;
/** Neptune's model registry, in folders among the runs of a project. */
const SCOPES = { models: 'models', model_versions: 'versions' } as const;
const isScope = (name: string): name is keyof typeof SCOPES => Object.hasOwn(SCOPES, name);
const SCALARS = ['float', 'int', 'string', 'bool', 'datetime', 'string_set', 'file', 'artifact', 'file_set'];
const SERIES = ['float_series', 'string_series', 'histogram_series', 'file_series'];
const list = (names: string[]): string => names.map(quoteLiteral).join(', ');

/** A timestamp's milliseconds, whatever its unit and zone. */
const millis = (column: string): string => `epoch_us(${column}) // 1000`;
/** Values as text. */
const SCALAR_TEXT = `CASE attribute_type
  WHEN 'float' THEN float_value::VARCHAR WHEN 'int' THEN int_value::VARCHAR WHEN 'string' THEN string_value WHEN 'bool' THEN bool_value::VARCHAR
  WHEN 'datetime' THEN (${millis('datetime_value')})::VARCHAR WHEN 'string_set' THEN to_json(string_set_value)::VARCHAR WHEN 'file' THEN file_value.path
  WHEN 'artifact' THEN file_value.path WHEN 'file_set' THEN file_value.path END`;
const SERIES_TEXT: Record<SeriesType, string> = {
  float_series: 'NULL',
  string_series: 'string_value',
  histogram_series: 'CASE WHEN histogram_value IS NULL THEN NULL ELSE to_json(histogram_value)::VARCHAR END',
  file_series: 'file_value.path',
};

/** Reads what neptune-exporter has written below `folder`. */
export async function openNeptuneExport(folder: string): Promise<NeptuneExport> {
  const db = await openDuckDb({ threads: 2 });
  const connection = await db.connect();
  // A time without a zone would else be read in the machine's.
  await connection.run("SET TimeZone = 'UTC'").catch(() => {});
  const from = ({ parts }: ExportedRun): string => `read_parquet([${parts.map(quotePath).join(', ')}], union_by_name = true)`;
  const failed = (run: ExportedRun, cause: unknown) =>
    invalid(
      'neptune_export_unreadable',
      `The run ${run.project}/${run.name} cannot be read as neptune-exporter writes it: ${messageOf(cause).split('\n')[0]}`,
      { cause },
    );
  const rows = async (run: ExportedRun, sql: string): Promise<Record<string, unknown>[]> => {
    try {
      return (await connection.runAndReadAll(sql)).getRowObjects();
    } catch (cause) {
      throw failed(run, cause);
    }
  };

  return {
    async runs() {
      const found = { runs: new Map<string, ExportedRun>(), models: new Map<string, ExportedRun>(), versions: new Map<string, ExportedRun>() };
      const folders = [''];
      for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
        const entries = await readdir(join(folder, at), { withFileTypes: true }).catch((cause: unknown) => {
          throw invalid('neptune_export_missing', `The folder ${join(folder, at ?? '')} cannot be read: ${messageOf(cause)}`, { cause });
        });
        for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
          const path = at === '' ? entry.name : `${at}/${entry.name}`;
          if (entry.isDirectory()) folders.push(path);
          const [, name, number, unfinished] = entry.isFile() ? (PART.exec(entry.name) ?? []) : [];
          if (name === undefined || number === undefined) continue;
          const file = join(folder, path);
          const scope = at.split('/').at(-1) ?? '';
          const [of, project] = isScope(scope) ? [found[SCOPES[scope]], at.slice(0, -scope.length - 1)] : [found.runs, at];
          const run = of.get(`${at}/${name}`) ?? { project, name, parts: [], complete: false, bytes: 0 };
          of.set(`${at}/${name}`, run);
          if (unfinished !== undefined) continue;
          run.parts.push(file);
          run.bytes += (await stat(file)).size;
          if (number === '0') run.complete = true;
        }
      }
      const inOrder = (of: Map<string, ExportedRun>) => [...of.values()].sort((a, b) => (`${a.project}/${a.name}` < `${b.project}/${b.name}` ? -1 : 1));
      return { runs: inOrder(found.runs), models: inOrder(found.models), versions: inOrder(found.versions) };
    },

    async identity(run) {
      const ids = await rows(run, `SELECT DISTINCT project_id, run_id FROM ${from(run)} LIMIT 2`);
      const [only] = ids;
      if (only === undefined) throw failed(run, 'it has no rows');
      if (ids.length > 1) throw failed(run, 'it has rows of more than one run');
      const unknown = await rows(
        run,
        `SELECT attribute_type AS type, count(*) AS n FROM ${from(run)} WHERE attribute_type NOT IN (${list([...SCALARS, ...SERIES])}) GROUP BY 1 ORDER BY 1`,
      );
      return {
        projectId: String(only['project_id']),
        runId: String(only['run_id']),
        unknown: unknown.map(({ type, n }) => ({ type: String(type), rows: Number(n) })),
      };
    },

    async scalars(run) {
      const found = await rows(
        run,
        `SELECT attribute_path AS path, attribute_type AS type, any_value(${SCALAR_TEXT}) AS value FROM ${from(run)} WHERE attribute_type IN (${list(SCALARS)}) GROUP BY 1, 2 ORDER BY 1, 2`,
      );
      return found.map(({ path, type, value }): Scalar => {
        const text = value === null || value === undefined ? null : String(value);
        return { path: String(path), type: type as ScalarType, value: type === 'datetime' && text !== null ? new Date(Number(text)).toISOString() : text };
      });
    },

    async shapes(run) {
      const found = await rows(
        run,
        `SELECT attribute_path AS path, attribute_type AS type, count(*) AS n
         FROM ${from(run)} WHERE attribute_type IN (${list(SERIES)}) GROUP BY 1, 2 ORDER BY 1, 2`,
      );
      return found.map(({ path, type, n }): SeriesShape => ({ path: String(path), type: type as SeriesType, points: Number(n) }));
    },

    async *series(run, type) {
      try {
        const result = await connection.stream(
          `SELECT attribute_path AS path, step::DECIMAL(18,6)::VARCHAR AS step, ${millis('timestamp')} AS timestamp, float_value::DOUBLE AS number, ${SERIES_TEXT[type]} AS text
           FROM ${from(run)} WHERE attribute_type = ${quoteLiteral(type)} ORDER BY attribute_path, step, timestamp`,
        );
        for await (const some of result.yieldRowObjects())
          yield some.map(
            (row): SeriesRow => ({
              path: String(row['path']),
              step: row['step'] === null ? null : String(row['step']),
              timestamp: row['timestamp'] === null ? null : Number(row['timestamp']),
              number: row['number'] as number | null,
              text: row['text'] as string | null,
            }),
          );
      } catch (cause) {
        throw failed(run, cause);
      }
    },

    async close() {
      connection.closeSync();
      db.close();
    },
  };
}
