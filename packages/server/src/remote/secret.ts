import { open, realpath } from 'node:fs/promises';
import { sep } from 'node:path';
import { invalid, messageOf, unavailable } from '../kernel/index.ts';

const MAX_BYTES = 16 * 1024;
export const SECRET_PREFIX = 'BINNACLE_REMOTE_TOKEN';

export interface SecretRules {
  env: NodeJS.ProcessEnv;
  /** The folder that `file:` references must lie in; undefined: there are none. */
  secretsDir: string | undefined;
}

/** A secret by its reference, read when it is used. */
export interface Secret {
  readonly value: string;
  /** Reads it again; keeps the old one when that fails. */
  refresh(): Promise<void>;
}

/**
 * Whoever registers a model chooses where its secret is sent, so only what was put aside for this purpose can be one: variables that
 * begin with BINNACLE_REMOTE_TOKEN and files of one folder. Throws `invalid` (remote_token_refused) for others, `unavailable` (remote_token_missing) when it is not there.
 */
export async function openSecret(reference: string, rules: SecretRules): Promise<Secret> {
  let value = await read(reference, rules);
  return {
    get value() {
      return value;
    },
    async refresh() {
      value = await read(reference, rules).catch(() => value);
    },
  };
}

async function read(reference: string, { env, secretsDir }: SecretRules): Promise<string> {
  const missing = (why: string) => unavailable('remote_token_missing', `The token ${reference} of the remote model cannot be read: ${why}.`);
  let value: string;
  if (reference.startsWith('env:')) {
    const name = reference.slice(4);
    if (!name.startsWith(SECRET_PREFIX))
      throw invalid(
        'remote_token_refused',
        `The token ${reference} is refused: the variable of a remote model's token begins with ${SECRET_PREFIX}, so that a package cannot name others.`,
      );
    value = env[name] ?? '';
    if (value === '') throw missing('the variable is not set');
  } else {
    if (secretsDir === undefined)
      throw invalid('remote_token_refused', `The token ${reference} is refused: start the server with --remote-secrets DIR to allow files of that folder.`);
    let path: string;
    try {
      path = await realpath(reference.slice('file:'.length));
    } catch {
      throw missing('there is no such file');
    }
    const root = await realpath(secretsDir).catch(() => secretsDir);
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep))
      throw invalid('remote_token_refused', `The token ${reference} is refused: it does not lie in the folder given by --remote-secrets.`);
    value = await contentOf(path).catch((error: unknown) => {
      throw missing(messageOf(error));
    });
    if (value === '') throw missing('the file is empty');
  }
  // What ends up in a header must not end it.
  if (!/^[\x20-\x7e]+$/.test(value)) throw missing('it holds characters that a header cannot carry');
  return value;
}

async function contentOf(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
    if (bytesRead > MAX_BYTES) throw new Error(`it is longer than ${MAX_BYTES} bytes`);
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
}
