import { loadConfig } from '../../config/index.ts';
import { count, print, printJson, say } from '../output.ts';

/** Makes a data directory of a backup. No server is asked, none is started. */
export async function restore(from: string, options: { data?: string | undefined; json?: true | undefined }): Promise<void> {
  const { dataDir } = await loadConfig(options.data === undefined ? {} : { data: options.data });
  const { restore: run } = await import('../../compose/restore.ts');
  const summary = await run(from, dataDir);
  say(`restored ${count(summary.files)} files, ${count(summary.bytes)} bytes, as of ${new Date(summary.createdAt).toISOString()}`);
  if (options.json) printJson({ dataDir, ...summary });
  else print(dataDir);
}
