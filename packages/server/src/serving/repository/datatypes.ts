import type { Datatype } from '../tensor.ts';

/** Triton's name of a datatype in a configuration: TYPE_STRING for BYTES. */
export const configTypeOf = (datatype: string): string => (datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`);

/** A configuration's datatype by its Open Inference name; undefined for TYPE_INVALID, and BF16 and what else no tensor here has. */
export function datatypeOf(configType: string | undefined): Datatype | undefined {
  if (configType === undefined || configType === 'TYPE_INVALID' || configType === 'TYPE_BF16') return undefined;
  return (configType === 'TYPE_STRING' ? 'BYTES' : configType.replace('TYPE_', '')) as Datatype;
}
