import { expect, it } from 'vitest';
import { canonicalStage, checkDescription, checkModelName, checkNewAlias, checkTags } from './validation.ts';

it.each(['', '  ', 'a/b', 'a:b', '.', '..', '..a', 'a\0', 'x'.repeat(257), '\ud800'])('the model name %j is refused', (name) => {
  expect(() => checkModelName(name)).toThrow();
});
it.each(['', 'latest', 'LATEST', 'v1', 'V22', 'a b', 'a@b', 'a.b', 'x'.repeat(256)])('the alias %j is refused', (alias) => {
  expect(() => checkNewAlias(alias)).toThrow();
});
it.each(['champion', 'v', 'v1x', '日本', 'x'.repeat(255)])('the alias %j is taken', (alias) => {
  checkNewAlias(alias);
});
it.each([{ '': 'x' }, { 'a\n': 'x' }, { 'a//b': 'x' }, { '../a': 'x' }, { ['x'.repeat(251)]: '' }, { a: 'x'.repeat(100_001) }])(
  'tags such as %j are refused',
  (tags) => {
    expect(() => checkTags(tags as Record<string, string>)).toThrow();
  },
);
it('lengths are counted in characters, as MLflow counts them', () => {
  checkTags({ ['𝔸'.repeat(250)]: '🦀'.repeat(100_000) });
  checkModelName('🦀'.repeat(256));
  checkNewAlias('𝔸'.repeat(255));
  checkDescription('🦀'.repeat(100_000));
  for (const tags of [{ ['𝔸'.repeat(251)]: '' }, { a: '🦀'.repeat(100_001) }]) expect(() => checkTags(tags)).toThrow('exceeds the maximum length');
});
it('tags as MLflow writes them are taken', () => {
  checkTags({ 'mlflow.note.content': '', 'a/b': '1', 'a b-c_d:e': 'x'.repeat(100_000) });
});
it('stages are found in any case, others are refused in the words of MLflow', () => {
  expect(canonicalStage('pRODUCTION')).toBe('Production');
  expect(() => canonicalStage('live')).toThrow('Invalid Model Version stage: live. Value must be one of None, Staging, Production, Archived.');
});
