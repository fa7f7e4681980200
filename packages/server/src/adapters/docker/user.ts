import { stat } from 'node:fs/promises';
import { unavailable } from '../../kernel/index.ts';

const NOBODY = 65534;

export interface User {
  uid: number;
  gid: number;
}

/**
 * Who a container runs as: this process's user, who can read the models; for root nobody, unless the models' folders are closed to others: then their owner.
 * Never root, which Docker without user namespaces does not tell from this machine's. Throws `unavailable` (model_folder_closed) where only root may read one.
 */
export async function userFor(
  folders: Iterable<string>,
  own: User = { uid: process.getuid?.() ?? NOBODY, gid: process.getgid?.() ?? NOBODY },
  look: (folder: string) => Promise<User & { mode: number }> = stat,
): Promise<User> {
  if (own.uid !== 0) return own;
  for (const folder of folders) {
    const { mode, uid, gid } = await look(folder);
    if ((mode & 0o005) === 0o005) continue;
    if (uid !== 0) return { uid, gid };
    throw unavailable(
      'model_folder_closed',
      `Only root may read ${folder}, and models do not run as root. Open it (chmod -R o+rX ${folder}) and start Binnacle with umask 022, or, better, run Binnacle as a user of its own.`,
    );
  }
  return { uid: NOBODY, gid: NOBODY };
}
