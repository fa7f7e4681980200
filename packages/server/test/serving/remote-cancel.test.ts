import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { remoteRuntime } from '../../src/compose/remote-models.ts';
import { packageOf } from '../ports/package-runtime.suite.ts';
import { servingKit, until } from '../support/serving.ts';

it('a client that goes ends the work on the other server, too', async () => {
  let begun = 0;
  let ended = 0;
  const elsewhere = createServer((call, response) => {
    if (call.url === '/v2') response.end('{"extensions":[]}');
    else if (call.url === '/v2/models/m')
      response.end('{"inputs":[{"name":"x","datatype":"FP32","shape":[-1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]}');
    else {
      // Never answered.
      begun++;
      response.on('close', () => ended++);
    }
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  const remote = remoteRuntime({ limits: { maxBodyBytes: 2 ** 20, maxJsonBytes: 0, maxUploadBytes: 0 }, remote: { hosts: [], secretsDir: undefined } });
  const kit = await servingKit({ runtimes: { remote } });
  try {
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    kit.registry.packages.set('m', [{ ...packageOf({ kind: 'remote', protocol: 'open-inference', url, model: 'm' }), model: 'm' }]);
    await kit.serving.deploy('m', { model: 'm', traffic: [{ version: 1, weight: 100, shadow: false }] });
    const client = request(`${kit.url}/v2/models/m/infer`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } });
    client.on('error', () => {});
    client.end('{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":[1]}]}');
    await until(() => begun === 1);
    expect(ended).toBe(0);
    client.destroy();
    await until(() => ended === 1);
  } finally {
    elsewhere.closeAllConnections();
    elsewhere.close();
    await kit.close();
  }
});
