/** Widest line of the report; paths and URLs may run over. */
const WIDTH = 100;
const ESCAPES = /\u001b\[\d+m/g;

/** Words in lines of at most `WIDTH` columns, each behind `margin` blanks; colour codes take no room. */
export function wrap(text: string, margin = 2): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && longer.replace(ESCAPES, '').length > WIDTH - margin) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((one) => `${' '.repeat(margin)}${one}`);
}
