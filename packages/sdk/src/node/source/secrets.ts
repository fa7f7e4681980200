/** Names of files and folders that hold secrets, wherever they lie: never read, and left out of the diff. As globs of git's, and of ours. */
export const SECRET_NAMES = [
  '.env',
  '.env.*',
  '*.env',
  '.envrc',
  '.npmrc',
  '.netrc',
  '_netrc',
  '.pypirc',
  '.pgpass',
  '.my.cnf',
  '.git-credentials',
  '.htpasswd',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  '*.tfstate',
  '*.tfvars',
  'id_rsa*',
  'id_dsa*',
  'id_ecdsa*',
  'id_ed25519*',
  '*credential*',
  '*secret*',
  'service-account*.json',
  '.ssh',
  '.gnupg',
  '.aws',
  '.azure',
  '.config/gcloud',
  '.docker/config.json',
  '.kube/config',
];

const globs = SECRET_NAMES.map((name) => name.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*'));
const pattern = new RegExp(`(?:^|/)(?:${globs.join('|')})(?:/|$)`, 'i');

/** By the name of the file, or of a folder that it lies in. `path` has slashes. */
export const isSecret = (path: string): boolean => pattern.test(path);

/**
 * The URL of a repository without user names and passwords, queries and fragments. `git@host:path` stays: its user is no secret.
 */
export function withoutCredentials(url: string): string {
  const scp = /^(?:([^@/]+)@)?([^:/@]+):(?!\/\/)(.*)$/.exec(url);
  if (scp !== null) return (scp[1] ?? '').includes(':') ? `${scp[2]}:${scp[3]}` : url;
  try {
    const parsed = new URL(url);
    // Of ssh the user is part of the address; over http it may be a token.
    if (parsed.protocol !== 'ssh:' && parsed.protocol !== 'git+ssh:') parsed.username = '';
    parsed.password = '';
    parsed.search = '';
    parsed.hash = '';
    return parsed.href;
  } catch {
    return url.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, '');
  }
}
