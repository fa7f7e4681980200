import { expect, it } from 'vitest';
import { parseFilter, parseOrderBy } from '../kernel/filter/index.ts';
import { modelVersionGrammar, registeredModelGrammar } from './filter-grammars.ts';

it('versions are found by name, number, run and source', () => {
  expect(parseFilter("version_number >= 2 AND run_id IN ('a') AND name = 'm'", modelVersionGrammar)).toHaveLength(3);
  expect(() => parseFilter("version_number = '2'", modelVersionGrammar)).toThrow('Expected numeric value type for numeric attribute: version_number');
});

it('models know attributes and tags only, and no missing tag', () => {
  expect(parseFilter("name ILIKE 'm%' AND tags.k = 'v'", registeredModelGrammar)).toHaveLength(2);
  expect(() => parseFilter('tags.a IS NULL', registeredModelGrammar)).toThrow('IS NULL is not supported here');
  expect(() => parseFilter('metrics.a > 1', registeredModelGrammar)).toThrow("Valid entity types are ('attribute', 'tag', 'tags')");
});

it('a model is ordered by its times under either name', () => {
  expect(parseOrderBy(['timestamp DESC'], registeredModelGrammar)).toEqual([{ kind: 'attribute', key: 'last_updated_timestamp', ascending: false }]);
});
