import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { type Engine, EngineError, type EngineRequest } from './engine.ts';
import { createImages } from './images.ts';

it('declares no proxy as an argument of the build, whose address Docker would keep in the image’s history', async () => {
  const builds: EngineRequest[] = [];
  const engine: Engine = {
    call: () => Promise.reject(new EngineError(404, 'no such image')),
    async stream(_path, options = {}) {
      builds.push(options);
      return Readable.from([Buffer.from('{"stream":"done"}\n')]) as IncomingMessage;
    },
  };
  const buildArgs = { HTTPS_PROXY: 'http://u:secret@proxy', no_proxy: 'here', PIP_INDEX_URL: 'https://index' };
  const images = createImages({ engine, ready: undefined, buildArgs });
  await images.imageFor({ kind: 'python', python: '3.12', requirements: 'a\n', constraints: null }, () => {});
  const context = builds[0]?.tar?.toString('latin1') ?? '';
  expect(context.split('\n').filter((line) => line.startsWith('ARG '))).toEqual(['ARG PIP_INDEX_URL']);
  // They reach pip all the same: Docker knows them by name.
  expect(JSON.parse(String(builds[0]?.query?.['buildargs']))).toEqual(buildArgs);
});

it('ends a build that nobody waits for any more', async () => {
  const builds: EngineRequest[] = [];
  const engine: Engine = {
    call: () => Promise.reject(new EngineError(404, 'no such image')),
    stream: (_path, options = {}) =>
      new Promise((_resolve, reject) => {
        builds.push(options);
        options.signal?.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  };
  const images = createImages({ engine, ready: undefined, buildArgs: {} });
  const software = { kind: 'python', python: '3.12', requirements: 'a\n', constraints: null } as const;
  const [first, second] = [new AbortController(), new AbortController()];
  const built = [first, second].map(({ signal }) => images.imageFor(software, () => {}, signal));
  await expect.poll(() => builds.length).toBe(1);
  first.abort();
  await expect(built[0]).rejects.toMatchObject({ code: 'given_up' });
  expect(builds[0]?.signal?.aborted).toBe(false);
  second.abort();
  await expect(built[1]).rejects.toMatchObject({ code: 'given_up' });
  expect(builds[0]?.signal?.aborted).toBe(true);
});
