import { identity, graph, sum, value } from './onnx-graphs.ts';
import { type BatchKit, batchKit, columns, query } from './batch.ts';

/** total = a + b, and the text t back; every input a column [N,1]. */
const mixed = () =>
  graph({
    nodes: [
      { opType: 'Add', input: ['a', 'b'], output: ['total'] },
      { opType: 'Identity', input: ['t'], output: ['word'] },
      { opType: 'Identity', input: ['n'], output: ['again'] },
    ],
    inputs: [value('a', 'FP32', ['N', 1]), value('b', 'FP32', ['N', 1]), value('n', 'INT64', ['N', 1]), value('t', 'BYTES', ['N', 1])],
    outputs: [value('total', 'FP32', ['N', 1]), value('word', 'BYTES', ['N', 1]), value('again', 'INT64', ['N', 1])],
  });

/** Batch with the models that its tests share. */
export async function batchKitWithModels(): Promise<BatchKit> {
  const kit = await batchKit();
  await kit.registry.add('mixed', mixed(), columns('a', 'b', 'n:long', 't:string'));
  await kit.registry.add('pair', identity('FP32'), columns('x', 'ÿ – weird "name"'));
  await kit.registry.add('sum', sum(2), columns('p', 'q'));
  await kit.registry.add('anything', sum(3));
  return kit;
}

/** A file of `rows` rows with everything in them that the model `mixed` takes, and a time. */
export async function sampleFile(kit: BatchKit, format: 'csv' | 'jsonl' | 'parquet', rows = 2500): Promise<string> {
  const file = kit.path(`sample-${rows}.${format}`);
  const options = { csv: 'FORMAT csv, HEADER true', jsonl: 'FORMAT json', parquet: 'FORMAT parquet, ROW_GROUP_SIZE 2048' }[format];
  await query(
    `COPY (SELECT range AS n, range / 4 AS a, range * 1.5::DOUBLE AS b, CASE WHEN range % 2 = 0 THEN 'short' ELSE 'a much longer text, with "quotes" – ' || range END AS t, TIMESTAMP '2024-01-01' + INTERVAL (range) MINUTE AS seen FROM range(${rows})) TO '${file}' (${options})`,
  );
  return file;
}
