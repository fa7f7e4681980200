import { type BinnacleError, invalid } from '../../kernel/index.ts';
import type { VersionInfo } from '../../serving/index.ts';
import { bad } from './json.ts';

type Spec = VersionInfo['outputs'][number];

export const DEFAULT = 'serving_default';
export const METHODS = {
  predict: 'tensorflow/serving/predict',
  classify: 'tensorflow/serving/classify',
  regress: 'tensorflow/serving/regress',
} as const;
export type Method = keyof typeof METHODS;
/** The names that exporters give the signatures of tf.Examples. */
const OF_EXAMPLES = { classify: 'classification', regress: 'regression' } as const;

/** A tensor as a signature tells of it; `tensor` is the graph's own name. */
export interface SignatureTensor {
  tensor: string;
  datatype: string;
  shape: number[];
}
export interface ServingSignature {
  method: Method;
  inputs: Record<string, SignatureTensor>;
  outputs: Record<string, SignatureTensor>;
}

const FLOATS = new Set(['FP16', 'FP32', 'FP64']);
const isFloat = ({ datatype }: Spec): boolean => FLOATS.has(datatype);
const isColumn = ({ shape }: Spec): boolean => shape.length === 1 || (shape.length === 2 && (shape[1] === 1 || shape[1] === -1));

/** Which outputs hold classes: scores [N,K] by class, or their labels [N,K], or the label of the winner [N]. */
export interface ClassOutputs {
  scores: Spec | undefined;
  classes: Spec | undefined;
}

export function classOutputs({ outputs }: Pick<VersionInfo, 'outputs'>): ClassOutputs | undefined {
  const matrices = outputs.filter((output) => isFloat(output) && output.shape.length === 2 && output.shape[1] !== 1);
  const scores = outputs.find(({ name }) => name === 'scores') ?? matrices.find(({ name }) => /score|prob/i.test(name)) ?? matrices[0];
  const texts = outputs.filter((output) => output.datatype === 'BYTES' && output.shape.length === 2 && output.shape[1] !== 1);
  const winners = outputs.filter((output) => !isFloat(output) && isColumn(output));
  const classes = outputs.find(({ name }) => name === 'classes') ?? texts[0] ?? (scores === undefined ? winners[0] : undefined);
  return scores === undefined && classes === undefined ? undefined : { scores, classes };
}

/** The output with one number a row: the one called `outputs`, else the only one there is. */
export function valueOutput({ outputs }: Pick<VersionInfo, 'outputs'>): Spec | undefined {
  const named = outputs.find(({ name }) => name === 'outputs');
  if (named !== undefined) return named;
  const columns = outputs.filter((output) => isFloat(output) && isColumn(output));
  return columns.length === 1 ? columns[0] : undefined;
}

const tensor = ({ name, datatype, shape }: Spec): SignatureTensor => ({ tensor: name, datatype, shape });
const EXAMPLES: Record<string, SignatureTensor> = { inputs: { tensor: 'input_example_tensor', datatype: 'BYTES', shape: [-1] } };

/** A model's signatures: its tensors under `serving_default`, and those that take tf.Examples where its outputs allow them. */
export function signaturesOf(version: VersionInfo): Record<string, ServingSignature> {
  const byName = (specs: readonly Spec[]): Record<string, SignatureTensor> => Object.fromEntries(specs.map((spec) => [spec.name, tensor(spec)]));
  const out: Record<string, ServingSignature> = { [DEFAULT]: { method: 'predict', inputs: byName(version.inputs), outputs: byName(version.outputs) } };
  const classes = classOutputs(version);
  if (classes !== undefined)
    out[OF_EXAMPLES.classify] = {
      method: 'classify',
      inputs: EXAMPLES,
      outputs: {
        ...(classes.classes === undefined ? {} : { classes: tensor(classes.classes) }),
        ...(classes.scores === undefined ? {} : { scores: tensor(classes.scores) }),
      },
    };
  const value = valueOutput(version);
  if (value !== undefined) out[OF_EXAMPLES.regress] = { method: 'regress', inputs: EXAMPLES, outputs: { outputs: tensor(value) } };
  return out;
}

export const missingInRest = (name: string): BinnacleError => bad(`Serving signature name: "${name}" not found in signature def`);
/** A failed precondition there, in other words than REST's, where it is a bad request. */
export const missingInGrpc = (name: string): BinnacleError => invalid('signature_not_found', `Serving signature key "${name}" not found.`);

/**
 * Whether a method may be called by this signature name; the default is good for all of them. Throws `invalid` for a name that the model does
 * not have, and for one of another method.
 */
export function checkSignature(version: VersionInfo, name: string, method: Method, missing = missingInRest): void {
  if (name === '' || name === DEFAULT) return;
  const signatures = signaturesOf(version);
  const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined;
  if (signature === undefined) throw method === 'predict' ? missing(name) : bad(`No signature was found with the name: ${name}`);
  if (signature.method !== method)
    throw bad(
      method === 'predict'
        ? `the signature "${name}" takes tf.Examples: call its method (${METHODS[signature.method]}), or predict with "${DEFAULT}"`
        : `Expected ${OF_EXAMPLES[method]} signature method_name to be ${METHODS[method]}. Was: ${METHODS[signature.method]}`,
    );
}
