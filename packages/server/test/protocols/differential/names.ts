import type { Step } from './replay.ts';

/** One character or more of every general category of Unicode, and of what software trips over. */
const UNUSUAL: Record<string, string> = {
  Lu: 'Ä',
  Ll: 'ß',
  Lt: 'ǅ',
  Lm: 'ʰ',
  Lo: 'あ模ש',
  Mn: 'e\u0301',
  Mc: 'क\u093e',
  Me: 'x\u20dd',
  Nd: '٣',
  Nl: 'Ⅷ',
  No: '½',
  Pc: '‿',
  Pd: '—',
  Ps: '(',
  Pe: ')',
  Pi: '«',
  Pf: '»',
  Po: '!',
  Sm: '+',
  Sc: '€',
  Sk: '^',
  So: '☃',
  Zs: '\u00a0',
  Zl: '\u2028',
  Zp: '\u2029',
  'Cc, the first': '\u0001',
  'Cc, a line feed': '\n',
  'Cc, a tabulator': '\t',
  'Cc, delete': '\u007f',
  'Cc, next line': '\u0085',
  'Cf, of no width': '\u200b',
  'Cf, right to left': '\u202e',
  'Cf, byte order mark': '\ufeff',
  Co: '\ue000',
  'Co, far': '\u{10fffd}',
  Cn: '\u0378',
  'Cn, no character': '\uffff',
  'a letter of two units': '𝔸',
  'a picture': '🦀',
  'a family': '👩‍👧',
};

/** What a database, a shell or a file system might take for its own. */
const HOSTILE = [
  "'",
  '"',
  '`',
  "it''s",
  "x'; drop table runs; --",
  "' OR '1'='1",
  '" OR ""="',
  'a;b',
  '-- a',
  '/* a */',
  '%',
  '_',
  '%_',
  '\\',
  "\\'",
  '$1',
  '?',
  ':name',
  '{a}',
  '${a}',
  '../a',
  'a/../b',
  '..\\a',
  'a\\b',
  '%2e%2e',
  '%2e%2e%2fa',
  '/etc/passwd',
  'C:/a',
  'C:\\a',
  '.',
  '..',
  './a',
  'a/',
  'a//b',
  'a.',
  'a ',
  ' a',
  ' ',
  '  ',
  '<b>a</b>',
  'CON',
  'nul',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'NaN',
  '0',
];

/** All of them, each in one name. */
export const ODD_NAMES: string[] = [...Object.values(UNUSUAL).map((text) => `a${text}b`), ...HOSTILE];

/** Each name in each place that takes one, and then the name is read back and looked for. */
function asNames(name: string, i: number): Step[] {
  const list = (filter: string): Step => ['POST runs/search', { experiment_ids: ['$names'], filter }];
  const quoted = name.includes("'") ? undefined : `'${name}'`;
  return [
    ['POST experiments/create', { name: `e ${name}` }],
    ['GET experiments/get-by-name', { experiment_name: `e ${name}` }],
    [
      'POST runs/create',
      { experiment_id: '$names', run_name: name, start_time: i + 1, tags: [{ key: name, value: name }] },
      { last: 'run.info.run_id', [`r${i}`]: 'run.info.run_id' },
    ],
    ['POST runs/set-tag', { run_id: '$last', key: name, value: name }],
    ['POST runs/log-parameter', { run_id: '$last', key: name, value: name }],
    ['POST runs/log-metric', { run_id: '$last', key: name, value: 1, timestamp: 1, step: 1 }],
    ['POST runs/log-batch', { run_id: '$last', params: [{ key: `b ${name}`, value: name }], tags: [{ key: `b ${name}`, value: name }] }],
    [
      'POST runs/log-inputs',
      { run_id: '$last', datasets: [{ dataset: { name, digest: `${i}`, source_type: name, source: name }, tags: [{ key: name, value: name }] }] },
    ],
    ...(quoted === undefined
      ? [['GET runs/get', { run_id: '$last' }] as Step]
      : [
          list(`run_name = ${quoted}`),
          list(`run_name LIKE ${quoted}`),
          list(`dataset.name = ${quoted}`),
          list(`tags.mlflow.runName = ${quoted}`),
          ...(name.includes('`') || name.includes('"') ? [] : [list(`params.\`b ${name}\` = ${quoted}`)]),
        ]),
    ['POST registered-models/create', { name, tags: [{ key: name, value: name }] }],
    ['POST registered-models/create', { name: `m ${name}`, description: name }],
    ['GET registered-models/get', { name: `m ${name}` }],
    ['POST registered-models/set-tag', { name: 'names', key: name, value: name }],
    ['POST registered-models/alias', { name: 'names', alias: name, version: '1' }],
    ['GET registered-models/alias', { name: 'names', alias: name }],
    ['POST model-versions/set-tag', { name: 'names', version: '1', key: name, value: name }],
    [
      'POST logged-models',
      { experiment_id: '$names', name, params: [{ key: name, value: name }], tags: [{ key: name, value: name }] },
      { model: 'model.info.model_id' },
    ],
  ];
}

/** Names that a database may take for one another: by case, accent, width, ligature, normal form, white space at the end, or what has no width. */
const ALIKE = [
  'a', 'A', 'á', 'à', 'ä', 'æ', 'ae', 'ａ', 'a ', 'a  ', 'a\u00a0', 'a\u200b', 'a\u00ad', 'é', 'e', 's', 'ss', 'ß', 'ẞ', 'ſ',
  'i', 'I', 'ı', 'İ', 'K', '\u212a', 'Å', '\u212b', '1', '١', '①', 'ﬁ', 'fi', 'か', 'カ', 'が', 'は', 'ぱ', '한', '\u1112\u1161\u11ab', 'Ω', '\u2126',
]; // biome-ignore format: a list of characters

/** Each is made once, kept beside the others, and found by itself. */
export const alikeSteps: Step[] = [
  ['POST experiments/create', { name: 'alike' }, { alike: 'experiment_id' }],
  ['POST runs/create', { experiment_id: '$alike', start_time: 1, run_name: 'all' }, { all: 'run.info.run_id' }],
  ['POST registered-models/create', { name: 'alike' }],
  ['POST model-versions/create', { name: 'alike', source: 's3://a/b' }],
  ...ALIKE.flatMap((name, i): Step[] => [
    ['POST experiments/create', { name }],
    ['POST runs/create', { experiment_id: '$alike', start_time: i + 2, run_name: name }, { last: 'run.info.run_id', [`r${i}`]: 'run.info.run_id' }],
    ['POST runs/log-parameter', { run_id: '$all', key: name, value: name }],
    ['POST runs/set-tag', { run_id: '$all', key: name, value: name }],
    ['POST runs/log-metric', { run_id: '$all', key: name, value: i, timestamp: 1, step: i }],
    ['POST runs/log-inputs', { run_id: '$all', datasets: [{ dataset: { name, digest: '1', source_type: 's', source: 's' } }] }],
    ['POST registered-models/create', { name: `is ${name}` }],
    ['POST registered-models/set-tag', { name: 'alike', key: name, value: name }],
    ['POST registered-models/alias', { name: 'alike', alias: name.trim(), version: '1' }],
    [
      'POST logged-models',
      { experiment_id: '$alike', name: 'alike', params: [{ key: name, value: name }], tags: [{ key: name, value: name }] },
      { model: 'model.info.model_id' },
    ],
  ]),
  ...ALIKE.flatMap((name): Step[] => [
    ['GET experiments/get-by-name', { experiment_name: name }],
    ['POST runs/search', { experiment_ids: ['$alike'], filter: `run_name = '${name}'` }],
    ['POST runs/search', { experiment_ids: ['$alike'], filter: `run_name LIKE '${name}'` }],
    ['POST runs/search', { experiment_ids: ['$alike'], filter: `params.\`${name}\` = '${name}'` }],
    ['GET metrics/get-history', { run_id: '$all', metric_key: name }],
    ['GET registered-models/get', { name: `is ${name}` }],
  ]),
  ['POST runs/search', { experiment_ids: ['$alike'], order_by: ['attributes.run_name'] }],
  ['POST experiments/create', { name: 'a' }],
];

export const nameSteps: Step[] = [
  ['POST experiments/create', { name: 'names' }, { names: 'experiment_id' }],
  ['POST registered-models/create', { name: 'names' }],
  ['POST model-versions/create', { name: 'names', source: 's3://a/b' }],
  ...ODD_NAMES.flatMap(asNames),
  ['GET registered-models/get', { name: 'names' }],
];

/** Texts as long as they may be and one longer, by characters of one, two and four bytes. */
function lengths(limit: number, of: (text: string) => Step[]): Step[] {
  return ['x', 'é', '𝔸'].flatMap((char) => [limit, limit + 1].flatMap((length) => of(char.repeat(length))));
}

export const lengthSteps: Step[] = [
  ['POST experiments/create', { name: 'lengths' }, { lengths: 'experiment_id' }],
  ['POST registered-models/create', { name: 'lengths' }],
  ['POST model-versions/create', { name: 'lengths', source: 's3://a/b' }],
  ['POST runs/create', { experiment_id: '$lengths', start_time: 1, run_name: 'r' }, { long: 'run.info.run_id' }],
  ...lengths(500, (name) => [['POST experiments/create', { name }]]),
  ...lengths(250, (key) => [
    ['POST runs/log-parameter', { run_id: '$long', key, value: '1' }],
    ['POST runs/set-tag', { run_id: '$long', key, value: '1' }],
    ['POST runs/log-metric', { run_id: '$long', key, value: 1, timestamp: 1 }],
    ['POST runs/log-batch', { run_id: '$long', params: [{ key, value: '1' }] }],
    ['POST runs/log-batch', { run_id: '$long', tags: [{ key, value: '1' }] }],
    ['POST runs/log-batch', { run_id: '$long', metrics: [{ key, value: 1, timestamp: 1, step: 0 }] }],
    ['POST experiments/set-experiment-tag', { experiment_id: '$lengths', key, value: '1' }],
    ['POST registered-models/set-tag', { name: 'lengths', key, value: '1' }],
    ['POST model-versions/set-tag', { name: 'lengths', version: '1', key, value: '1' }],
    ['POST runs/create', { experiment_id: '$lengths', start_time: 1, run_name: 'r', tags: [{ key, value: '1' }] }, { run: 'run.info.run_id' }],
  ]),
  ...lengths(255, (text) => [
    ['POST registered-models/alias', { name: 'lengths', alias: text, version: '1' }],
    ['POST logged-models', { experiment_id: '$lengths', name: 'keys', params: [{ key: text, value: '1' }] }, { model: 'model.info.model_id' }],
    ['POST logged-models', { experiment_id: '$lengths', name: 'keys', tags: [{ key: text, value: '1' }] }, { model: 'model.info.model_id' }],
    [
      'POST runs/log-inputs',
      { run_id: '$long', datasets: [{ dataset: { name: 'd', digest: '1', source_type: 's', source: 's' }, tags: [{ key: text, value: '1' }] }] },
    ],
  ]),
  ...lengths(256, (name) => [
    ['POST registered-models/create', { name }],
    ['POST runs/create', { experiment_id: '$lengths', start_time: 1, run_name: name, user_id: name }, { run: 'run.info.run_id' }],
  ]),
  ...lengths(500, (text) => [
    ['POST runs/log-inputs', { run_id: '$long', datasets: [{ dataset: { name: text, digest: '2', source_type: 's', source: 's' } }] }],
    [
      'POST runs/log-inputs',
      { run_id: '$long', datasets: [{ dataset: { name: 'e', digest: '1', source_type: 's', source: 's' }, tags: [{ key: 'k', value: text }] }] },
    ],
    ['POST logged-models', { experiment_id: '$lengths', name: text }, { model: 'model.info.model_id' }],
  ]),
  ...lengths(36, (digest) => [['POST runs/log-inputs', { run_id: '$long', datasets: [{ dataset: { name: 'd', digest, source_type: 's', source: 's' } }] }]]),
  ...lengths(6000, (value) => [
    ['POST runs/log-parameter', { run_id: '$long', key: `v${value.length}${value.codePointAt(0)}`, value }],
    ['POST runs/log-batch', { run_id: '$long', params: [{ key: `w${value.length}${value.codePointAt(0)}`, value }] }],
  ]),
  ...lengths(5000, (value) => [
    ['POST experiments/set-experiment-tag', { experiment_id: '$lengths', key: 'v', value }],
    ['POST registered-models/set-tag', { name: 'lengths', key: 'v', value }],
    [
      'POST logged-models',
      { experiment_id: '$lengths', name: 'values', params: [{ key: 'k', value }], tags: [{ key: 'k', value }] },
      { model: 'model.info.model_id' },
    ],
  ]),
  ...lengths(8000, (value) => [
    ['POST runs/set-tag', { run_id: '$long', key: 'v', value }],
    ['POST runs/log-batch', { run_id: '$long', tags: [{ key: 'w', value }] }],
    ['POST runs/create', { experiment_id: '$lengths', start_time: 1, run_name: 'r', tags: [{ key: 'k', value }] }, { run: 'run.info.run_id' }],
  ]),
  ...lengths(20_000, (value) => [['POST experiments/set-experiment-tag', { experiment_id: '$lengths', key: 'v', value }]]),
  ...lengths(100_000, (value) => [
    ['POST registered-models/set-tag', { name: 'lengths', key: 'v', value }],
    ['POST model-versions/set-tag', { name: 'lengths', version: '1', key: 'v', value }],
    ['PATCH registered-models/update', { name: 'lengths', description: value }],
  ]),
  ['GET runs/get', { run_id: '$long' }],
];
