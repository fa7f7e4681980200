import { expect, it } from 'vitest';
import { checkArtifactPath } from './paths.ts';

it.each([
  ['a/b.txt', 'a/b.txt'],
  ['a//b/./c/', 'a/b/c'],
  ['100%/50%25.txt', '100%/50%25.txt'],
  ['модель/日本.onnx', 'модель/日本.onnx'],
  ['a:b', 'a:b'],
  ['..a/b..', '..a/b..'],
  ['...', '...'],
])('%j becomes %j', (raw, path) => {
  expect(checkArtifactPath(raw)).toBe(path);
});

it.each([
  '..',
  '../x',
  'a/../b',
  'a/..',
  '/abs',
  '\\x',
  'a\\..\\x',
  'a\0',
  'C:/x',
  'c:',
  '%2e%2e/x',
  '%252e%252e/x',
  '%25252e%25252e%2fx',
  'a%2f..%2f..',
  '%2fetc',
  'a%5c..',
  'a%00',
  'a/%2E%2E/b',
  '',
  '.',
  '//',
  '.binnacle/derived',
  './.binnacle',
  '\ud800',
  'x'.repeat(256),
  'é'.repeat(128),
  'a/'.repeat(2000),
])('%j is refused', (raw) => {
  expect(() => checkArtifactPath(raw)).toThrow(/^Invalid path: /);
});

it('an escape nested deeper than anyone writes is refused', () => {
  expect(() => checkArtifactPath(`%${'25'.repeat(20)}2e`)).toThrow('too many times');
});

it('the root is a path only where it is asked for', () => {
  expect(checkArtifactPath('', { allowRoot: true })).toBe('');
  expect(checkArtifactPath('./', { allowRoot: true })).toBe('');
});
