/** A unified diff as lines with what they are, and how much each file changes. Pure; tested in diff.test.ts. */
export type DiffLine = { kind: 'file' | 'hunk' | 'added' | 'removed' | 'same' | 'note'; text: string };
export interface DiffFile {
  name: string;
  added: number;
  removed: number;
}

export function readDiff(text: string): { lines: DiffLine[]; files: DiffFile[] } {
  const lines: DiffLine[] = [];
  const files: DiffFile[] = [];
  // What the hunk still holds: within it a line that begins with --- or +++ is a changed line.
  let [left, right] = [0, 0];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const file = files[files.length - 1];
    if (left > 0 || right > 0) {
      const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : line.startsWith('\\') ? 'note' : 'same';
      lines.push({ kind, text: line });
      if (kind === 'same' || kind === 'removed') left -= 1;
      if (kind === 'same' || kind === 'added') right -= 1;
      if (file !== undefined && kind === 'added') file.added += 1;
      if (file !== undefined && kind === 'removed') file.removed += 1;
      continue;
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
    if (hunk !== null) {
      [left, right] = [Number(hunk[1] ?? 1), Number(hunk[2] ?? 1)];
      lines.push({ kind: 'hunk', text: line });
    } else if (line.startsWith('diff --git ')) {
      lines.push({ kind: 'file', text: line });
      files.push({ name: / b\/(.+)$/.exec(line)?.[1] ?? line.slice(11), added: 0, removed: 0 });
    } else {
      if (line.startsWith('+++ ') && !lines.some((l) => l.kind === 'file' && l.text.startsWith('diff --git ')))
        files.push({ name: line.slice(4).replace(/^b\//, '').split('\t')[0] ?? '', added: 0, removed: 0 });
      lines.push({ kind: /^(---|\+\+\+) /.test(line) ? 'file' : 'note', text: line });
    }
  }
  return { lines, files };
}
