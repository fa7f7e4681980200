// One folder for whatever the tests leave in the system's temporary one, removed at their end.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'bn-'));
  // Database servers run as users of their own.
  chmodSync(folder, 0o711);
  process.env.TMPDIR = folder;
  // Modules are stripped of their types once, not once a thread and process.
  process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
