import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureSource, type SourceOptions } from './capture.ts';

let repo: string;
const git = (...args: string[]) => execFileSync('git', args, { cwd: repo, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const write = (path: string, text: string | Uint8Array) => {
  mkdirSync(dirname(join(repo, path)), { recursive: true });
  writeFileSync(join(repo, path), text);
};
const [argument, folder] = [process.argv[1], process.cwd()];
beforeEach(() => {
  repo = realpathSync(mkdtempSync(join(tmpdir(), 'binnacle-source-')));
});
afterEach(() => {
  process.argv[1] = argument as string;
  process.chdir(folder);
});

/** What is captured by a script of the folder, as text by path. */
async function captured(options: SourceOptions = {}, script = 'src/train.mjs') {
  process.argv[1] = join(repo, script);
  process.chdir(repo);
  const { tags, artifacts } = await captureSource(options);
  const files = Object.fromEntries(artifacts.map(({ path, content }) => [path, typeof content === 'string' ? content : Buffer.from(content).toString()]));
  return {
    tags,
    files,
    state: JSON.parse(files['source/state.json'] ?? '') as { git: Record<string, unknown> | null; leftOut: { path: string; why: string }[] },
  };
}

describe('a repository with changes', () => {
  beforeEach(() => {
    git('init', '-q', '-b', 'topic');
    git('config', 'user.email', 'a@b.c');
    git('config', 'user.name', 'a');
    git('remote', 'add', 'origin', 'https://me:ghp_t0ken@example.com/team/repo.git');
    write('src/train.mjs', 'console.log(1)\n');
    write('src/lib/größe.mjs', 'old\n');
    write('.env', 'API_KEY=first\n');
    write('deploy/secrets/db.yaml', 'API_KEY: first\n');
    git('add', '-A', '-f');
    git('commit', '-qm', 'first');
  });

  test('clean: the commit, and nothing to add', async () => {
    const { tags, files, state } = await captured();
    expect(tags).toEqual({
      'mlflow.source.git.commit': git('rev-parse', 'HEAD'),
      'mlflow.source.git.branch': 'topic',
      'mlflow.source.git.repoURL': 'https://example.com/team/repo.git',
      'mlflow.source.git.dirty': 'false',
    });
    expect(Object.keys(files)).toEqual(['source/state.json', 'source/src/train.mjs']);
    expect(state.git).toMatchObject({ dirty: false, untracked: [] });
  });

  test('dirty: a diff that applies to the commit, names of new files, and no secret', async () => {
    write('src/train.mjs', 'console.log(2)\n');
    write('src/lib/größe.mjs', Buffer.from('caf\xe9\n', 'latin1'));
    write('.env', 'API_KEY=second\n');
    write('deploy/secrets/db.yaml', 'API_KEY: second\n');
    write('notes.txt', 'not known to git\n');
    git('add', 'src/train.mjs');
    const { tags, files, state } = await captured();
    expect(tags['mlflow.source.git.dirty']).toBe('true');
    expect(state.git).toMatchObject({ dirty: true, untracked: ['notes.txt'], diffWithout: ['.env', 'deploy/secrets/db.yaml'] });
    const everything = JSON.stringify(files);
    for (const secret of ['API_KEY', 'ghp_t0ken', 'not known to git']) expect(everything).not.toContain(secret);
    expect(files['source/uncommitted.diff']).toContain('+console.log(2)');
    expect(files['source/src/train.mjs']).toBe('console.log(2)\n');
  });

  test('the diff is kept byte by byte', async () => {
    write('src/lib/größe.mjs', Buffer.from('caf\xe9\n', 'latin1'));
    process.argv[1] = join(repo, 'src/train.mjs');
    const { artifacts } = await captureSource({});
    const diff = artifacts.find(({ path }) => path.endsWith('.diff'))?.content as Uint8Array;
    git('checkout', '-q', '--', '.');
    execFileSync('git', ['apply'], { cwd: repo, input: diff });
    expect(readFileSync(join(repo, 'src/lib/größe.mjs'), 'latin1')).toBe('caf\xe9\n');
  });

  test('a diff above the limit is left out, and said', async () => {
    write('src/train.mjs', 'x\n'.repeat(2000));
    const { files, state } = await captured({ maxDiffBytes: 1000 });
    expect(files['source/uncommitted.diff']).toBeUndefined();
    expect(state.git).toMatchObject({ dirty: true, diffLeftOut: expect.stringContaining('1000 bytes') as string });
  });

  test('given files come by globs; secrets, large ones and what lies outside are said and left', async () => {
    const outside = join(mkdtempSync(join(tmpdir(), 'binnacle-outside-')), 'private.txt');
    writeFileSync(outside, 'private');
    symlinkSync(outside, join(repo, 'src/link.txt'));
    write('src/large.csv', 'x'.repeat(2 * 1024 * 1024));
    write('node_modules/a/index.js', 'x');
    const { files, state } = await captured({ files: ['src/**', '.env', 'deploy/**', 'node_modules/**'], git: false });
    expect(Object.keys(files).sort()).toEqual(['source/src/lib/größe.mjs', 'source/src/train.mjs', 'source/state.json']);
    expect(state.leftOut.map(({ path }) => path.split('/').at(-1)).sort()).toEqual(['.env', 'db.yaml', 'large.csv', 'private.txt']);
    expect(state.git).toBeNull();
  });

  test('all of it can be switched off', async () => {
    const { tags, files } = await captured({ git: false, entry: false, dependencies: false });
    expect([tags, Object.keys(files)]).toEqual([{}, ['source/state.json']]);
  });
});

test('without a repository, without a commit, and without a script there is nothing of them', async () => {
  write('src/train.mjs', '1');
  const plain = await captured();
  expect([plain.tags, plain.state.git]).toEqual([{}, null]);
  git('init', '-q');
  expect((await captured()).tags).toEqual({});
  expect(Object.keys((await captured({}, 'no-such-file.mjs')).files)).toEqual(['source/state.json']);
});

test('packages: what is installed, and the hash of the lock file', async () => {
  write('src/train.mjs', '1');
  write('package.json', JSON.stringify({ dependencies: { left: '^1.0.0' }, devDependencies: { absent: '*' } }));
  write('package-lock.json', '{}');
  write('node_modules/left/package.json', JSON.stringify({ version: '1.2.3' }));
  expect((await captured()).state).toMatchObject({
    dependencies: {
      manifest: 'package.json',
      installed: { left: '1.2.3' },
      lockfile: { path: 'package-lock.json', sha256: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' },
    },
  });
});
