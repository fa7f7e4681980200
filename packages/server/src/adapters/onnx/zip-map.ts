import { floatMatrix } from './graph-types.ts';
import { bytesField, type Field, fields, message, stringOf, text, varintField } from './wire.ts';
import { zipMapLabels } from './zip-map-labels.ts';

interface ZipMap {
  node: Field;
  output: string;
  identity: Uint8Array;
  classes: number;
  labels: string[];
}

function zipMapOf(node: Field): ZipMap | undefined {
  const parts = fields(node.bytes, [1, 2, 3, 4, 7]);
  if (stringOf(parts, 4) !== 'ZipMap' || stringOf(parts, 7) !== 'ai.onnx.ml') return undefined;
  const input = stringOf(parts, 1);
  const output = stringOf(parts, 2);
  const { count: classes, labels } = zipMapLabels(node);
  return {
    node,
    output,
    classes,
    labels,
    identity: message([bytesField(1, input), bytesField(2, output), bytesField(3, stringOf(parts, 3)), bytesField(4, 'Identity')]),
  };
}

/**
 * Replaces every ZipMap whose output is an output of the graph by Identity, so that the output keeps its name and becomes the tensor
 * [N, classes] that ZipMap would have turned into a list of dictionaries (which the binding cannot return). `labels`: how they called the
 * classes of an output, where they did. Null when there is none.
 */
export function rewireZipMaps(model: Field[], graph: Field[]): { model: Field[]; graph: Field[]; bytes: Uint8Array; labels: Record<string, string[]> } | null {
  const outputs = new Set(graph.filter((f) => f.number === 12).map((f) => stringOf(fields(f.bytes), 1)));
  const zipMaps = graph
    .filter((f) => f.number === 1)
    .map(zipMapOf)
    .filter((z): z is ZipMap => z !== undefined && outputs.has(z.output));
  if (zipMaps.length === 0) return null;
  const byNode = new Map(zipMaps.map((z) => [z.node, z]));
  const byOutput = new Map(zipMaps.map((z) => [z.output, z]));
  const graphBytes = message(
    graph.map((field) => {
      const node = byNode.get(field);
      if (node !== undefined) return bytesField(1, node.identity);
      if (field.number === 12 || field.number === 13) {
        const zip = byOutput.get(stringOf(fields(field.bytes), 1));
        if (zip !== undefined) return bytesField(field.number, floatMatrix(zip.output, zip.classes));
      }
      return field.raw;
    }),
  );
  const parts = model.map((field) => (field.number === 7 ? bytesField(7, graphBytes) : field.raw));
  // A graph of ML operators alone does not import ONNX's own operators, among them Identity.
  const imports = model.filter((f) => f.number === 8).map((f) => fields(f.bytes));
  const hasDefault = imports.some((entry) => ['', 'ai.onnx'].includes(text(entry.find((f) => f.number === 1)?.bytes ?? new Uint8Array(0))));
  if (!hasDefault) parts.push(bytesField(8, message([bytesField(1, ''), varintField(2, 13)])));
  const bytes = message(parts);
  const labels = Object.fromEntries(zipMaps.filter((zip) => zip.labels.length > 0).map((zip) => [zip.output, zip.labels]));
  return { bytes, model: fields(bytes), graph: fields(graphBytes), labels };
}
