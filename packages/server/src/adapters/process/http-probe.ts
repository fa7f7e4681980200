import { get } from 'node:http';
import type { HealthProbe } from '../../compute/index.ts';

/** One GET on a connection of its own. */
export const httpProbe: HealthProbe = ({ host, port }, path, timeoutMs) =>
  new Promise((resolve) => {
    const request = get({ host, port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      response.resume();
      response.once('error', () => {});
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
