import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServingKit, servingKit } from '../support/serving.ts';
import { startTriton, type TritonServer } from '../support/triton-server.ts';
import { ask, shown } from './triton-differential/ask.ts';
import { differences, normal, same } from './triton-differential/differences.ts';
import { pairs } from './triton-differential/models.ts';
import { requests } from './triton-differential/requests.ts';

let triton: TritonServer;
let ours: ServingKit;
beforeAll(async () => {
  triton = await startTriton(
    pairs.map(({ name, triton: model }) => ({ name, ...model })),
    ['--model-control-mode', 'explicit', '--load-model', '*'],
  );
  ours = await servingKit();
  for (const { name, graph } of pairs) await ours.deploy(name, graph);
}, 120_000);
afterAll(async () => {
  await ours?.close();
  await triton?.stop();
});

it('the same requests get the same answers, but for what is listed', async () => {
  const lines: string[] = [];
  const used = new Set<RegExp>();
  for (const request of requests) {
    const [theirs, mine] = [normal(await ask(triton.url, request), request.call), normal(await ask(ours.url, request), request.call)];
    if (same(theirs, mine)) continue;
    const listed = differences.find((difference) => difference.request.test(shown(request)));
    if (listed !== undefined) used.add(listed.request);
    else
      lines.push(
        `${shown(request)}\n  triton ${theirs.status} ${JSON.stringify(theirs.body).slice(0, 900)}\n  ours   ${mine.status} ${JSON.stringify(mine.body).slice(0, 900)}`,
      );
  }
  expect(lines.join('\n')).toBe('');
  expect(differences.filter(({ request }) => !used.has(request))).toEqual([]);
}, 120_000);
