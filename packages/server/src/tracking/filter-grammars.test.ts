import { expect, it } from 'vitest';
import { parseFilter, parseOrderBy } from '../kernel/filter/index.ts';
import { experimentGrammar, loggedModelGrammar, runGrammar } from './filter-grammars.ts';

const runs = (text: string) => parseFilter(text, runGrammar);
const one = (text: string) => runs(text)[0];

it('an empty filter is no condition', () => {
  expect(runs('')).toEqual([]);
  expect(runs('   ')).toEqual([]);
  expect(parseFilter(undefined, runGrammar)).toEqual([]);
});

it('every alias of an entity means the same', () => {
  for (const alias of ['metric', 'metrics']) expect(one(`${alias}.a > 1`)).toEqual({ kind: 'metric', key: 'a', operator: '>', value: 1 });
  for (const alias of ['param', 'params', 'parameter', 'parameters'])
    expect(one(`${alias}.a = '1'`)).toEqual({ kind: 'param', key: 'a', operator: '=', value: '1' });
  for (const alias of ['tag', 'tags']) expect(one(`${alias}.mlflow.user = 'u'`)).toEqual({ kind: 'tag', key: 'mlflow.user', operator: '=', value: 'u' });
  for (const alias of ['attr.', 'attribute.', 'attributes.', 'run.', ''])
    expect(one(`${alias}status = 'FINISHED'`)).toEqual({ kind: 'attribute', key: 'status', operator: '=', value: 'FINISHED' });
});

it('keys may be quoted by backticks or double quotes, and values by either quote', () => {
  expect(one('metrics.`val/loss (%)` <= -1.5e-3')).toEqual({ kind: 'metric', key: 'val/loss (%)', operator: '<=', value: -0.0015 });
  expect(one('params."a b" != "it\'s"')).toEqual({ kind: 'param', key: 'a b', operator: '!=', value: "it's" });
  expect(one('attributes.`Run name` LIKE "%x%"')).toEqual({ kind: 'attribute', key: 'run_name', operator: 'LIKE', value: '%x%' });
  expect(one("tags.größe = 'ü AND x'")).toEqual({ kind: 'tag', key: 'größe', operator: '=', value: 'ü AND x' });
  expect(one("`tags`.`a.b` = 'c'")).toEqual({ kind: 'tag', key: 'a.b', operator: '=', value: 'c' });
});

it('a quote closes where MLflow sees it close, a backslash before it or not', () => {
  expect(one("params.a = '\\'")?.value).toBe('\\');
  expect(one("params.a = 'it\\'s'")?.value).toBe("it\\'s");
  expect(one("metrics.'a b' > 1")).toMatchObject({ kind: 'metric', key: 'a b' });
  expect(() => runs("params.a = 'x''")).toThrow('Invalid clause(s)');
});

it('a semicolon alone is no filter, and an order that does not parse is said to be one', () => {
  expect(() => runs(';')).toThrow("Invalid clause(s) in filter string: ';'");
  expect(runs('metrics.a > 1;')).toHaveLength(1);
  for (const clause of ['ASC', 'desc', 'start_time;', 'metrics.`a', 'lower(start_time)'])
    expect(() => parseOrderBy([clause], runGrammar)).toThrow(`Invalid order_by clause '${clause}'. Could not be parsed.`);
});

it('comparisons are joined by AND in any case', () => {
  expect(runs("metrics.a>1 and params.b LIKE 'x%' AND tags.c ilike 'Y' AND tags.d IS NULL and params.e is not null")).toHaveLength(5);
});

it('lists work for the attributes that take them', () => {
  expect(one('run_id IN (\'a\', "b",)')?.value).toEqual(['a', 'b']);
  expect(one("attributes.run_id not in ('a')")).toMatchObject({ operator: 'NOT IN', value: ['a'] });
  expect(one("datasets.name IN ('a','b')")).toMatchObject({ kind: 'dataset', key: 'name' });
  expect(() => runs("status IN ('a')")).toThrow("Only ['run_id'] attributes support comparison with a list of quoted string values.");
  expect(() => runs('run_id IN ()')).toThrow('expected a non-empty list of string values, but got empty list');
  expect(() => runs('run_id IN (1, 2)')).toThrow('expected string value, punctuation, or whitespace, but got different type in list');
  expect(() => runs("run_id IN ('a' 'b')")).toThrow('ill-formed list');
});

it.each([
  ['metrics.a > 1 OR metrics.b > 2', "Invalid clause(s) in filter string: 'OR'"],
  ['metrics.a', "Invalid clause(s) in filter string: 'metrics.a'"],
  ['metrics.a >', "Invalid clause(s) in filter string: 'metrics.a', '>'"],
  ["metrics.a = '1'", "Expected numeric value type for metric. Found '1'"],
  ['params.a = 1', "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"],
  ['params.a = x', 'Parameter value is either not quoted or unidentified quote types used for string value x. Use either single or double quotes.'],
  ["params.a > '1'", "Invalid comparator '>' not one of"],
  ['metrics.a LIKE 1', "Invalid comparator 'LIKE' not one of"],
  ["tags.a NOT LIKE 'x'", "Invalid comparator 'NOT LIKE' not one of"],
  ['mtrics.a > 1', "Invalid entity type 'mtrics'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"],
  ["nope = 'x'", "Invalid attribute key 'nope' specified."],
  ["datasets.nope = 'x'", "Invalid dataset key 'nope' specified."],
  ["start_time > 'x'", "Expected numeric value type for numeric attribute: start_time. Found 'x'"],
  ['metrics.a IS NULL', 'IS NULL / IS NOT NULL is only supported for'],
  ['1 > metrics.a', "Invalid comparison clause. Expected 'Identifier' found '1'"],
  ['metrics.val/loss > 1', "Invalid comparison clause. Expected 'Identifier' found 'metrics.val/loss'"],
  ['metrics.a > 1; metrics.b > 2', 'Search filter contained multiple expression'],
  ["params.a = 'x", 'has no closing'],
  ['run_id IN (', 'has no closing parenthesis'],
  ['metrics.__proto__', "Invalid clause(s) in filter string: 'metrics.__proto__'"],
  ["constructor = 'x'", "Invalid attribute key 'constructor' specified."],
  ['constructor.a > 1', "Invalid entity type 'constructor'"],
])('%s is refused in the words of the protocol', (text, message) => {
  expect(() => runs(text)).toThrow(message);
});

it('the other searches have grammars of their own', () => {
  expect(parseFilter("name ILIKE '%x%' AND tags.k = 'v' AND creation_time > 5", experimentGrammar)).toHaveLength(3);
  expect(() => parseFilter('metrics.a > 1', experimentGrammar)).toThrow("Invalid entity type 'metrics'. Valid entity types are ('attribute', 'tag', 'tags')");
  expect(parseFilter('params.lr = 0.01 AND metrics.loss < 2 AND name in ("a", "b")', loggedModelGrammar)).toEqual([
    { kind: 'param', key: 'lr', operator: '=', value: '0.01' },
    { kind: 'metric', key: 'loss', operator: '<', value: 2 },
    { kind: 'attribute', key: 'name', operator: 'IN', value: ['a', 'b'] },
  ]);
});

it('order_by takes quoted keys and a direction', () => {
  expect(parseOrderBy(['metrics.`a b` DESC', 'start_time', 'params.x asc', 'end_time desc'], runGrammar)).toEqual([
    { kind: 'metric', key: 'a b', ascending: false },
    { kind: 'attribute', key: 'start_time', ascending: true },
    { kind: 'param', key: 'x', ascending: true },
    { kind: 'attribute', key: 'end_time', ascending: false },
  ]);
  expect(() => parseOrderBy(['metrics.a sideways'], runGrammar)).toThrow("Invalid ordering key in order_by clause 'metrics.a sideways'.");
  expect(() => parseOrderBy(['metrics.a desc, b'], runGrammar)).toThrow('Could not be parsed');
  expect(() => parseOrderBy(['start_time', 'Created'], runGrammar)).toThrow('contains duplicate fields');
});

it('a long name that fails in the end is refused at once, and so is a clause that is too long', () => {
  const name = `${'a.'.repeat(5000)}a-`;
  const started = performance.now();
  expect(() => runs(`${name} = 'x'`)).toThrow("Expected 'Identifier'");
  expect(() => parseOrderBy([name.slice(-5000)], runGrammar)).toThrow('Could not be parsed');
  expect(() => parseOrderBy([`metrics."${'x'.repeat(1e6)}"`], runGrammar)).toThrow('the limit is 10000');
  expect(performance.now() - started).toBeLessThan(1000);
  expect(runs('metrics.a.1b._c > 1')).toEqual([{ kind: 'metric', key: 'a.1b._c', operator: '>', value: 1 }]);
});
