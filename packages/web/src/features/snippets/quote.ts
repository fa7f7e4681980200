/**
 * Names of experiments, models and endpoints are anybody's text, and snippets are pasted into shells and programs: each
 * language gets them as a literal that means the name and nothing else.
 */

/** A word of a POSIX shell: as it is where that is safe, else in single quotes, in which nothing has a meaning but the quote. */
export const shell = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** JSON with a space after commas and colons, as people write it. */
export const json = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(json).join(', ')}]`
    : typeof value === 'object' && value !== null
      ? `{${Object.entries(value)
          .map(([key, item]) => `${JSON.stringify(key)}: ${json(item)}`)
          .join(', ')}}`
      : JSON.stringify(value);

/** Python and Java read every escape that JSON writes. (Java takes \uXXXX before all else, but JSON writes line ends and quotes without it.) */
export const python = (text: string): string => JSON.stringify(text);
export const java = (text: string): string => python(text);
/** R, too, but for the control characters: it has no string with a NUL, and names have none. */
export const r = (text: string): string => python(text);

/** A literal in single quotes. */
export const typescript = (text: string): string => `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** A Java text block; `text` has one line and no three quotes in a row, as JSON has not. */
export const javaBlock = (text: string): string => `"""\n        ${text.replaceAll('\\', '\\\\')}"""`;
/** The same text in R: in single quotes, so that JSON stays readable. */
export const rJson = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** A name as one segment of a path. */
export const segment = encodeURIComponent;
