/** Where a run's code came from, by MLflow's tags. Pure; tested in source.test.ts. */
export interface Source {
  name: string | undefined;
  /** What kind of program it was, in words. */
  type: string | undefined;
  entryPoint: string | undefined;
  commit: string | undefined;
  /** The commit in the repository's pages, where those are known. */
  commitHref: string | undefined;
  branch: string | undefined;
  /** Without a name or a password that was in it. */
  repository: string | undefined;
  repositoryHref: string | undefined;
  /** Whether there were changes beside the commit; undefined when nobody looked. */
  dirty: boolean | undefined;
}

const TAGS = {
  name: 'mlflow.source.name',
  type: 'mlflow.source.type',
  entryPoint: 'mlflow.project.entryPoint',
  commit: 'mlflow.source.git.commit',
  branch: 'mlflow.source.git.branch',
  repository: 'mlflow.source.git.repoURL',
  dirty: 'mlflow.source.git.dirty',
} as const;
const TYPES: Record<string, string> = { NOTEBOOK: 'notebook', JOB: 'job', PROJECT: 'MLflow project', LOCAL: 'local script', UNKNOWN: 'unknown' };
/** What the card shows, and the table of tags need not. */
export const SOURCE_TAGS: ReadonlySet<string> = new Set([...Object.values(TAGS), 'mlflow.gitBranch', 'mlflow.gitRepoURL']);

export function sourceOf(tags: Record<string, string>): Source | undefined {
  const tag = (key: string): string | undefined => (Object.hasOwn(tags, key) && tags[key] !== '' ? tags[key] : undefined);
  const type = tag(TAGS.type);
  const commit = tag(TAGS.commit);
  const address = withoutLogin(tag(TAGS.repository) ?? tag('mlflow.gitRepoURL'));
  const repositoryHref = webAddress(address);
  const dirty = tag(TAGS.dirty);
  const source: Source = {
    name: tag(TAGS.name),
    type: type === undefined ? undefined : (TYPES[type] ?? type.toLowerCase()),
    entryPoint: tag(TAGS.entryPoint),
    commit,
    commitHref: commitPage(repositoryHref, commit),
    branch: tag(TAGS.branch) ?? tag('mlflow.gitBranch'),
    repository: address,
    repositoryHref,
    dirty: dirty === undefined ? undefined : dirty.toLowerCase() === 'true',
  };
  return Object.values(source).some((value) => value !== undefined) ? source : undefined;
}

/** A token that was cloned with is nobody's to read. */
const withoutLogin = (address: string | undefined): string | undefined => address?.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');

/** What a browser may open: http(s), also of an address in the form of ssh. */
function webAddress(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  const ssh = /^(?:ssh:\/\/(?:git@)?|git@)([\w.-]+)[:/](?!\/)([\w./~-]+)$/.exec(address);
  const text = ssh === null ? address : `https://${ssh[1]}/${ssh[2]}`;
  try {
    const url = new URL(text);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href.replace(/\.git$/, '') : undefined;
  } catch {
    return undefined;
  }
}

function commitPage(repository: string | undefined, commit: string | undefined): string | undefined {
  if (repository === undefined || commit === undefined || !/^[0-9a-f]{7,64}$/i.test(commit)) return undefined;
  const host = new URL(repository).hostname;
  const base = repository.replace(/\/$/, '');
  if (host === 'bitbucket.org') return `${base}/commits/${commit}`;
  return /(^|\.)(github|gitlab|codeberg)\./.test(host) ? `${base}/commit/${commit}` : undefined;
}
