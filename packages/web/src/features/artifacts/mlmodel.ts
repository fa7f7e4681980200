/** What an MLmodel file says, without a reader of all YAML: MLflow writes it in one shape. Pure; tested in mlmodel.test.ts. */
export interface ModelSummary {
  flavors: { name: string; fields: [string, string][] }[];
  inputs: Field[] | undefined;
  outputs: Field[] | undefined;
  /** The top-level texts, such as mlflow_version. */
  fields: [string, string][];
}
export interface Field {
  name: string;
  type: string;
}

interface Line {
  indent: number;
  key: string;
  value: string;
}

export function readMlmodel(text: string): ModelSummary | undefined {
  const lines = linesOf(text);
  const flavors: ModelSummary['flavors'] = [];
  const fields: [string, string][] = [];
  let inputs: Field[] | undefined;
  let outputs: Field[] | undefined;
  let section = '';
  for (const { indent, key, value } of lines) {
    if (indent === 0) {
      section = key;
      if (value !== '' && value !== 'null') fields.push([key, value]);
    } else if (section === 'flavors' && indent === 2) flavors.push({ name: key, fields: [] });
    else if (section === 'flavors' && indent === 4 && value !== '' && value !== 'null') flavors[flavors.length - 1]?.fields.push([key, value]);
    else if (section === 'signature' && key === 'inputs') inputs = fieldsOf(value);
    else if (section === 'signature' && key === 'outputs') outputs = fieldsOf(value);
  }
  return flavors.length === 0 ? undefined : { flavors, inputs, outputs, fields };
}

/** Lines with a key; a quoted value that was folded over several is put together again. */
function linesOf(text: string): Line[] {
  const out: Line[] = [];
  const lines = text.replace(/\r\n?/g, '\n').split('\n');
  for (let i = 0; i < lines.length; i += 1) {
    const found = /^( *)([\w.-]+):(?: +(.*))?$/.exec(lines[i] as string);
    if (found === null) continue;
    let value = (found[3] ?? '').trim();
    const quote = value[0];
    if (quote === "'" || quote === '"') {
      while (!closed(value, quote) && i + 1 < lines.length) {
        i += 1;
        value += ` ${(lines[i] as string).trim()}`;
      }
      value = quote === "'" ? value.slice(1, -1).replaceAll("''", "'") : unquoted(value);
    }
    out.push({ indent: (found[1] ?? '').length, key: found[2] as string, value });
  }
  return out;
}
const closed = (value: string, quote: string): boolean =>
  quote === "'" ? value.length > 1 && (/'+$/.exec(value.slice(1))?.[0].length ?? 0) % 2 === 1 : /^"(?:[^"\\]|\\.)*"$/.test(value);
function unquoted(value: string): string {
  try {
    return String(JSON.parse(value.replace(/\\ /g, ' ')));
  } catch {
    return value.slice(1, -1);
  }
}

/** A signature's columns or tensors, from MLflow's JSON. */
function fieldsOf(json: string): Field[] | undefined {
  let list: unknown;
  try {
    list = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!Array.isArray(list)) return undefined;
  return list.map((item: Record<string, unknown>, i) => {
    const tensor = item['tensor-spec'] as { dtype?: string; shape?: number[] } | undefined;
    const type = tensor === undefined ? String(item['type'] ?? '') : `${tensor.dtype ?? ''} [${(tensor.shape ?? []).join(', ')}]`;
    return { name: typeof item['name'] === 'string' ? item['name'] : `${i}`, type: item['required'] === false ? `${type}, optional` : type };
  });
}
