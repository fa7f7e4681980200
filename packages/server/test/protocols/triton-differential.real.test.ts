import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ServingKit, servingKit } from '../support/serving.ts';
import { startTriton, type TritonServer } from '../support/triton-server.ts';
import { ask, shown } from './triton-differential/ask.ts';
import { normal } from './triton-differential/differences.ts';
import { pairs } from './triton-differential/models.ts';
import { requests } from './triton-differential/requests.ts';

let triton: TritonServer;
let ours: ServingKit;
beforeAll(async () => {
  triton = await startTriton(pairs.map(({ name, triton: model }) => ({ name, ...model })));
  ours = await servingKit();
  for (const { name, graph } of pairs) await ours.deploy(name, graph);
}, 120_000);
afterAll(async () => {
  await ours?.close();
  await triton?.stop();
});

it('the same requests get the same answers', async () => {
  const lines: string[] = [];
  for (const request of requests) {
    const [theirs, mine] = [normal(await ask(triton.url, request), request.call), normal(await ask(ours.url, request), request.call)];
    if (JSON.stringify(theirs) !== JSON.stringify(mine))
      lines.push(
        `${shown(request)}\n  triton ${theirs.status} ${JSON.stringify(theirs.body).slice(0, 500)}\n  ours   ${mine.status} ${JSON.stringify(mine.body).slice(0, 500)}`,
      );
  }
  console.log(lines.join('\n'));
  expect(lines).toEqual([]);
}, 120_000);
