import { invalid, isObject } from '../kernel/index.ts';

/** What a model answered when it was made: the file `binnacle/golden.json` of its package. */
export interface GoldenExamples {
  /** Largest absolute difference that its author allows; null when the file names none. */
  tolerance: number | null;
  examples: { inputs: Record<string, unknown>; outputs: Record<string, unknown> }[];
}

export const MAX_GOLDEN_BYTES = 16 * 1024 * 1024;
const MAX_EXAMPLES = 10_000;

/** Reads a golden file. Throws `invalid` (code `golden_invalid`) that says what is wrong and where. */
export function parseGoldenExamples(text: string): GoldenExamples {
  const refuse = (what: string) => invalid('golden_invalid', `The golden examples (binnacle/golden.json) are not usable: ${what}.`);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw refuse(`the file is not JSON (${error instanceof Error ? error.message : ''})`);
  }
  if (!isObject(file)) throw refuse('the file must hold an object');
  if (file.version !== 1) throw refuse(`"version" must be 1, not ${JSON.stringify(file.version)}`);
  if (file.tolerance !== undefined && !(typeof file.tolerance === 'number' && file.tolerance >= 0)) throw refuse('"tolerance" must be a number of at least 0');
  if (!Array.isArray(file.examples) || file.examples.length === 0) throw refuse('"examples" must be a list with at least one example');
  if (file.examples.length > MAX_EXAMPLES) throw refuse(`more than ${MAX_EXAMPLES} examples`);
  const examples = file.examples.map((example: unknown, i) => {
    const { inputs, outputs } = isObject(example) ? example : {};
    if (!isObject(inputs) || Object.keys(inputs).length === 0) throw refuse(`example ${i} has no "inputs" object`);
    if (!isObject(outputs) || Object.keys(outputs).length === 0) throw refuse(`example ${i} has no "outputs" object`);
    return { inputs, outputs };
  });
  return { tolerance: file.tolerance ?? null, examples };
}
