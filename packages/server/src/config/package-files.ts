import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A folder that is packed beside the built code, or stands elsewhere in a checkout; undefined when it is in neither place. */
export function packagedFolder(name: 'web' | 'recorded'): string | undefined {
  const elsewhere = { web: '../../../web/dist', recorded: '../../../../examples/flight-delays/recorded' }[name];
  return [`../${name}`, elsewhere].map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path));
}
