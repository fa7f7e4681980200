import { expect, it } from 'vitest';
import { userFor } from './user.ts';

const root = { uid: 0, gid: 0 };
const nobody = { uid: 65534, gid: 65534 };
const folder = (mode: number, owner: number) => async () => ({ mode: 0o40000 | mode, uid: owner, gid: owner });

it('runs a container as this user, for root as nobody or as the owner of a closed folder', async () => {
  expect(await userFor(['/m'], { uid: 1000, gid: 1001 }, folder(0o700, 1000))).toEqual({ uid: 1000, gid: 1001 });
  expect(await userFor(['/m'], root, folder(0o755, 0))).toEqual(nobody);
  expect(await userFor(['/m'], root, folder(0o750, 1234))).toEqual({ uid: 1234, gid: 1234 });
});

it.each([0o700, 0o750, 0o754])('refuses to run one as root for a folder of mode %o that only root may read', async (mode) => {
  const wanted = userFor(['/data/m'], root, folder(mode, 0));
  await expect(wanted).rejects.toMatchObject({ kind: 'unavailable', code: 'model_folder_closed', message: expect.stringContaining('chmod -R o+rX /data/m') });
});
