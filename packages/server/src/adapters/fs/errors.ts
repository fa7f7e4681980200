import { BinnacleError, conflict, denied, exhausted, internal, invalid, notFound, unavailable } from '../../kernel/index.ts';

/** The kernel error of a file-system failure; `path` is the artifact's path, never the machine's. */
export function mapFsError(error: unknown, path: string): unknown {
  if (error instanceof BinnacleError || !(error instanceof Error)) return error;
  const options = { cause: error, details: { path } };
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return notFound('artifact_not_found', `No artifact at ${JSON.stringify(path)}.`, options);
    case 'ENOSPC':
    case 'EDQUOT':
      return exhausted('disk_full', `The disk that holds the artifacts is full. ${JSON.stringify(path)} was not stored; free some space and send it again.`, {
        ...options,
        retryAfterSeconds: 30,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return denied(
        'artifact_access',
        `The server may not access ${JSON.stringify(path)} in its artifact folder (${(error as NodeJS.ErrnoException).code}). Check the owner and permissions of the data directory.`,
        options,
      );
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return conflict(
        'artifact_is_folder',
        `There is a folder at ${JSON.stringify(path)}; a file cannot take its place. Delete the folder or choose another name.`,
        options,
      );
    case 'ENOTDIR':
      return conflict('artifact_parent_is_file', `A parent of ${JSON.stringify(path)} is a file, not a folder. Choose another name.`, options);
    case 'ENAMETOOLONG':
      return invalid('artifact_path_invalid', `Invalid path: ${JSON.stringify(path)} is too long for the file system.`, options);
    case 'ELOOP':
      return denied('artifact_symlink', `${JSON.stringify(path)} is reached through a symbolic link, which is not followed.`, options);
    case 'EMFILE':
    case 'ENFILE':
      return unavailable('too_many_files', `Too many files are open to reach ${JSON.stringify(path)}. Try again.`, { ...options, retryAfterSeconds: 1 });
    case 'EIO':
      return internal('artifact_io', `Reading or writing ${JSON.stringify(path)} failed; check the disk.`, options);
    default:
      return error;
  }
}
