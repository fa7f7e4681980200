import { type BinnacleError, invalid, isObject, shown } from '../../kernel/index.ts';
import { parseRequestId } from '../../serving/index.ts';

const bad = (text: string): BinnacleError => invalid('invalid_request', text);

/** A request's own id; undefined when it has none. */
export function idOf(id: unknown): string | undefined {
  if (id !== undefined && id !== null && typeof id !== 'string')
    throw bad(`Unable to parse 'id': attempt to access JSON non-string as string (it is ${shown(id)})`);
  return parseRequestId(id);
}

/** `parameters` of the request, an input or an output; {} when there are none. */
export function parametersOf(of: Readonly<Record<string, unknown>>, where: string): Record<string, unknown> {
  const parameters = of['parameters'];
  if (parameters === undefined || parameters === null) return {};
  if (!isObject(parameters)) throw bad(`failed to get ${where} params.: attempt to get members for non-object`);
  return parameters;
}
