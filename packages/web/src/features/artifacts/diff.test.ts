import { expect, test } from 'vitest';
import { readDiff } from './diff.ts';

const DIFF = `diff --git a/x.py b/x.py
index 1..2 100644
--- a/x.py
+++ b/x.py
@@ -1,3 +1,3 @@ def f
 same
--- removed that looks like a header
-old
+new
++++ added
 end
diff --git a/gone.py b/gone.py
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-all
\\ No newline at end of file
`;
test('lines by kind, and files by what they change', () => {
  const { lines, files } = readDiff(DIFF.replace('-1,3 +1,3', '-1,4 +1,4'));
  expect(lines.map(({ kind }) => kind)).toEqual([
    'file',
    'note',
    'file',
    'file',
    'hunk',
    'same',
    'removed',
    'removed',
    'added',
    'added',
    'same',
    'file',
    'file',
    'file',
    'hunk',
    'removed',
    'note',
  ]);
  expect(files).toEqual([
    { name: 'x.py', added: 2, removed: 2 },
    { name: 'gone.py', added: 0, removed: 1 },
  ]);
});
test('a plain diff names its files too', () => {
  expect(readDiff('--- a/y\t2001\n+++ b/y\t2001\n@@ -0,0 +1 @@\n+z').files).toEqual([{ name: 'y', added: 1, removed: 0 }]);
});
