const PREFIX = 'binnacle.graph_labels.';

/** Class names that a graph itself gives its outputs, as settings of the model: what its author says elsewhere goes before them. */
export const settingsOfLabels = (labels: Readonly<Record<string, readonly string[]>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([output, names]) => [PREFIX + output, JSON.stringify(names)]));

export const settingOfLabels = (output: string): string => PREFIX + output;
