import { isElsewhere } from '../../artifacts/index.ts';
import { messageOf } from '../../kernel/index.ts';
import type { FileOwner, SourceFile } from '../mlflow-source.port.ts';
import { atOnce, type Context, digestOf } from './context.ts';
import { addTo, notCopied } from './report.ts';

/** Files on their way at once; each is read from disk or network and written to disk or network. */
const AT_ONCE = 4;

/** What there is of an owner's files, before it is brought in. */
export interface FilePlan {
  files: SourceFile[];
  /** Changes when the files do. */
  digest: string;
  /** Where they are: null for this server's own store. */
  uri: string | null;
}

/** '-': they were not asked for, or could not be read, and are looked at by the next import that asks. */
const NOT_SEEN = '-';

export async function planFiles({ source, artifacts, report }: Context, owner: FileOwner): Promise<FilePlan> {
  if (!artifacts) {
    const elsewhere = isElsewhere(owner.uri);
    return { files: [], digest: NOT_SEEN, uri: elsewhere ? owner.uri : null };
  }
  const found = await source.files(owner);
  if ('unreadable' in found) {
    notCopied(report, owner.uri, found.unreadable);
    // Those of another store stay where they are, and their URI goes on leading there.
    return found.elsewhere ? { files: [], digest: digestOf(['unreadable', owner.uri]), uri: owner.uri } : { files: [], digest: NOT_SEEN, uri: null };
  }
  return { files: found.files, digest: digestOf(found.files.map(({ path, size }) => [path, size])), uri: null };
}

/** Whether files that were imported so need not be looked at again. */
export const filesKnown = (digest: string | undefined): boolean => digest !== undefined && digest !== NOT_SEEN;

/** Copies what is not there yet. False when one of them could not be. A file that is there in another length stays, and is told. */
export async function copyFiles({ target, report }: Context, what: string, uri: string, files: SourceFile[], fresh: boolean): Promise<boolean> {
  if (files.length === 0) return true;
  if (!uri.startsWith('mlflow-artifacts:')) {
    notCopied(report, uri, 'files of this experiment are kept in a store that this server does not write to');
    return true;
  }
  const there = fresh ? new Map<string, number>() : await target.listFiles(uri);
  let whole = true;
  await atOnce(files, AT_ONCE, async (file) => {
    const size = there.get(file.path);
    if (size !== undefined) {
      report.files.there++;
      if (file.size !== null && file.size !== size)
        addTo(report, 'kept', { what, fields: [`file:${file.path} (${size} bytes here, ${file.size} there; remove it here to have the other)`] });
      return;
    }
    try {
      const bytes = await target.putFile(uri, file.path, await file.open(), file.size);
      report.files.bytes += bytes;
      report.files.copied++;
    } catch (error) {
      whole = false;
      addTo(report, 'failed', { what: `${what}, file ${file.path}`, message: messageOf(error) });
    }
  });
  return whole;
}
