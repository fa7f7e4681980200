import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { batchSnippets, deploySnippets, modelSnippets, requestSnippets, trackingSnippets, truthSnippets } from './index.ts';
import { java, javaBlock, json, python, r, rJson, shell, typescript } from './quote.ts';

const NASTY = [
  `it's`,
  '"quoted"',
  '$(touch pwned) `id` $HOME',
  'back\\slash \\" \\n',
  'two\nlines\ttab',
  'café 機械 🚀',
  '-rf',
  '',
  '!history #comment',
  "'\\''",
];
const open = { url: 'http://127.0.0.1:8000', token: false };
const guarded = { ...open, token: true };
const all = (at: typeof open, name: string) =>
  [
    ...trackingSnippets(at, name),
    ...modelSnippets(at, name),
    ...deploySnippets(at, name),
    ...batchSnippets(at, name),
    ...truthSnippets(at, name),
    ...requestSnippets(at, `/endpoints/${encodeURIComponent(name)}/invocations`, JSON.stringify({ name })),
  ] as const;

describe.each(NASTY)('the name %j', (name) => {
  test('is one word of a shell', () => {
    expect(execFileSync('sh', ['-c', `printf %s ${shell(name)}`], { encoding: 'utf8' })).toBe(name);
  });
  test('is one literal of TypeScript, of JSON, of Python, of R and of Java', () => {
    // oxlint-disable-next-line no-eval -- that it reads back as the name is what is asked.
    const read = (code: string): unknown => (0, eval)(code);
    expect(read(typescript(name))).toBe(name);
    expect(typescript(name)).toMatch(/^'.*'$/);
    expect(JSON.parse(json({ a: [name, 1] }))).toEqual({ a: [name, 1] });
    for (const literal of [python(name), r(name), java(name)]) expect(JSON.parse(literal)).toBe(name);
  });
  test('keeps a JSON body whole in the quotes of R and in a Java text block', () => {
    const body = json({ model: name });
    // Both languages take a backslash with what follows for one character, and end at their own quotes.
    const unescape = (text: string) => text.replace(/\\(.)/g, '$1');
    expect(unescape(rJson(body).slice(1, -1))).toBe(body);
    expect(rJson(body).slice(1, -1)).not.toMatch(/(?<!\\)(\\\\)*'/);
    expect(unescape(javaBlock(body).slice(3, -3).trim())).toBe(body);
  });
});

test('a safe name stays as it is in a shell', () => {
  expect(shell('flight-delays@champion')).toBe('flight-delays@champion');
});

describe('with a name that holds quotes and a command', () => {
  const name = `it's "my" $(touch pwned)`;
  test('what is pasted into a shell hands the name on and runs nothing in it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-snippets-'));
    // Stand-ins that write down what they are called with and answer as the server would.
    const answers = { curl: '{"id":"r1","version":7}', npx: '  "version": 7,', npm: '' };
    for (const [command, answer] of Object.entries(answers))
      writeFileSync(join(folder, command), `#!/bin/sh\nprintf '%s\\0' ${command} "$@" >> called\necho '${answer}'\n`, { mode: 0o755 });
    for (const { code } of all(guarded, name).filter((s) => s.name === 'curl' || s.name === 'npx binnacle'))
      execFileSync('sh', ['-euc', code], { cwd: folder, stdio: 'pipe', env: { PATH: `${folder}:${process.env['PATH']}`, BINNACLE_TOKEN: 'a b' } });
    const called = readFileSync(join(folder, 'called'), 'utf8').split('\0');
    expect(existsSync(join(folder, 'pwned'))).toBe(false);
    expect(called).toContain(`${name}@champion`);
    expect(called).toContain(`${name}/7`);
    expect(called).toContain('{"version": 7}');
    expect(called).toContain(`http://127.0.0.1:8000/api/binnacle/v1/endpoints/${encodeURIComponent(name)}`);
    expect(called).toContain('http://127.0.0.1:8000/api/binnacle/v1/runs/r1/log');
    expect(called).toContain('Authorization: Bearer a b');
    const bodies = called.flatMap((text) => (text.startsWith('{') ? [JSON.parse(text) as { model?: string; experiment?: string }] : []));
    expect([bodies.some((b) => b.experiment === name), bodies.some((b) => b.model === name)]).toEqual([true, true]);
  });
  test('addresses have it escaped', () => {
    for (const { code } of modelSnippets(open, name).filter((s) => s.name === 'curl' || s.name === 'R' || s.name === 'Java'))
      expect(code).toContain("/models/it's%20%22my%22%20%24(touch%20pwned)/versions".replace("'", code.startsWith('VERSION') ? `'\\''` : "'"));
  });
});

describe('the token', () => {
  test('is in every snippet of a server that asks for one, by its variable', () => {
    const without = all(guarded, 'm').filter(({ code }) => !code.includes('BINNACLE_TOKEN'));
    expect(without).toEqual([]);
  });
  test('is in none of a server that does not', () => {
    expect(all(open, 'm').filter(({ code }) => code.includes('TOKEN'))).toEqual([]);
  });
});

test('a model’s snippets move the alias to the version that was made, not to 1', () => {
  for (const name of ['npx binnacle', 'curl']) expect(modelSnippets(open).find((s) => s.name === name)?.code).toContain('$VERSION');
  expect(modelSnippets(open).find((s) => s.name === 'Python')?.code).toContain('logged.registered_model_version');
  expect(modelSnippets(open).find((s) => s.name === 'TypeScript')?.code).toContain('body: { version }');
});
