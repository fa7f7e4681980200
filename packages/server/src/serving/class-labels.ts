import { type ModelPackage, settingOfLabels } from '../registry/index.ts';

/**
 * Names of an output's classes: the model's setting `labels.{output}` or `labels` (its metadata or tags), a JSON list or one a line; an empty
 * one is none; else what the graph's ZipMap called them. Undefined when the model names none.
 */
export function classLabels({ settings }: Pick<ModelPackage, 'settings'>, output: string): string[] | undefined {
  const text = settings[`labels.${output}`] ?? settings['labels'] ?? settings['binnacle.labels'] ?? settings[settingOfLabels(output)];
  if (text === undefined || text.trim() === '') return undefined;
  if (text.trimStart().startsWith('[')) {
    try {
      const list: unknown = JSON.parse(text);
      if (Array.isArray(list)) return list.map(String);
    } catch {
      // Then it is a list of lines, the first of which begins with a bracket.
    }
  }
  return text.split(/\r?\n/);
}
