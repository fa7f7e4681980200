import { unavailable } from '../../kernel/index.ts';
import { saveBackup } from '../../upkeep/index.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { count, printJson, print, progressBar } from '../output.ts';

/** Saves a backup of the server that is talked to; verified before it gets its name. */
export async function backup(target: string, options: ConnectFlags & { json?: true | undefined }): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const bar = progressBar('backup');
    const request = async () => {
      const { body } = await client.raw('createBackup');
      if (body === null) throw unavailable('backup_cut_off', 'The server sent no backup.');
      return counted(body, (bytes) => bar.update(bytes, null, 'bytes'));
    };
    const summary = await saveBackup(request, target);
    bar.end(`${count(summary.files)} files, ${count(summary.bytes)} bytes, verified`);
    if (options.json) printJson({ path: target, ...summary });
    else print(target);
  } finally {
    await close();
  }
}

async function* counted(body: AsyncIterable<Uint8Array>, tell: (bytes: number) => void): AsyncIterable<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      tell(bytes);
      yield chunk;
    }
  } catch (cause) {
    throw unavailable('backup_cut_off', 'The server broke the backup off; its log says why. Nothing was kept. Try again.', { cause });
  }
}
