import { expect, test } from 'vitest';
import { sourceOf } from './source.ts';

const of = (repository: string) =>
  sourceOf({ 'mlflow.source.git.repoURL': repository, 'mlflow.source.git.commit': '0123456789abcdef0123456789abcdef01234567' });

test.each([
  ['https://github.com/a/b.git', 'https://github.com/a/b', 'https://github.com/a/b/commit/0123456789abcdef0123456789abcdef01234567'],
  [
    'git@gitlab.example.org:team/x.git',
    'https://gitlab.example.org/team/x',
    'https://gitlab.example.org/team/x/commit/0123456789abcdef0123456789abcdef01234567',
  ],
  ['ssh://git@git.example.org/x', 'https://git.example.org/x', undefined],
  ['http://host/x', 'http://host/x', undefined],
  ['javascript:alert(1)', undefined, undefined],
  ['file:///etc', undefined, undefined],
  ['/home/me/repo', undefined, undefined],
])('%s leads to %s', (repository, href, commit) => {
  expect([of(repository)?.repositoryHref, of(repository)?.commitHref]).toEqual([href, commit]);
});
test('a name and a password in an address are not shown', () => {
  expect(of('https://me:ghp_secret@github.com/a/b')).toMatchObject({ repository: 'https://github.com/a/b', repositoryHref: 'https://github.com/a/b' });
});
test('kinds in words, states, and nothing where there is nothing', () => {
  expect(
    sourceOf({ 'mlflow.source.type': 'NOTEBOOK', 'mlflow.source.name': 'n.ipynb', 'mlflow.source.git.dirty': 'True', 'mlflow.gitBranch': 'main' }),
  ).toMatchObject({
    type: 'notebook',
    name: 'n.ipynb',
    dirty: true,
    branch: 'main',
    commit: undefined,
  });
  expect(sourceOf({ other: 'x', 'mlflow.source.name': '' })).toBeUndefined();
});
