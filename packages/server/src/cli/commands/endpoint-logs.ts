import { stripVTControlCharacters } from 'node:util';
import { type ConnectFlags, connect } from '../connect.ts';
import { dim, print, printJson } from '../output.ts';
import { UsageError } from '../usage.ts';

type Flags = ConnectFlags & { version?: number | undefined; lines?: number | undefined; follow?: true | undefined; json?: true | undefined };

const POLL_MS = 1000;

/** All of C0 and C1 but the tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A line for a terminal: whoever wrote it must not move the cursor, name the window or fill the clipboard. */
export function lineOf({ at, source, text }: { at: number; source: string; text: string }): string {
  const plain = stripVTControlCharacters(text).replace(CONTROLS, '');
  return `${dim(new Date(at).toISOString())} ${source === 'binnacle' ? dim(`-- ${plain}`) : plain}`;
}

/** The last lines, and with `--follow` those that come, a line of JSON each with `--json`. */
export async function logs(endpoint: string, options: Flags): Promise<void> {
  const { version, lines, follow, json } = options;
  if (lines !== undefined && (lines < 1 || lines > 2000)) throw new UsageError('--lines takes 1 to 2000.');
  const { client, close } = await connect(options);
  const call = (query: { version?: number; limit?: number; after?: string }) => client.call('getEndpointLogs', { params: { endpoint }, query });
  try {
    let answer = await call({ ...(version === undefined ? {} : { version }), ...(lines === undefined ? {} : { limit: lines }) });
    if (json && !follow) return printJson(answer);
    for (;;) {
      for (const line of answer.lines) {
        if (json) print(JSON.stringify(line));
        else print(lineOf(line));
      }
      if (!follow) return;
      if (answer.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      // The version that was shown stays, whichever gets the most requests by now.
      answer = await call({ version: answer.version, limit: 2000, after: answer.next });
    }
  } finally {
    await close();
  }
}
