import { invalid } from '../kernel/index.ts';

/** `model@alias`, `model/3` or `model` (its champion). */
export function parseModelRef(text: string): { model: string; alias?: string; version?: number } {
  const at = text.lastIndexOf('@');
  if (at > 0 && at < text.length - 1) return { model: text.slice(0, at), alias: text.slice(at + 1) };
  const slash = text.lastIndexOf('/');
  if (slash > 0) {
    const version = Number(text.slice(slash + 1));
    if (Number.isInteger(version) && version > 0) return { model: text.slice(0, slash), version };
  }
  if (text === '' || at >= 0 || slash >= 0)
    throw invalid('model_reference', `"${text}" does not name a model version. Write model@alias (flight-delays@champion) or model/version (flight-delays/3).`);
  return { model: text, alias: 'champion' };
}
