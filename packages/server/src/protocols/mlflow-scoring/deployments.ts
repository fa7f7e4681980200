import type { ServerResponse } from 'node:http';
import { BinnacleError } from '../../kernel/index.ts';
import type { ServingService } from '../../serving/index.ts';
import { sendError } from './errors.ts';

const PATH = /^\/api\/2\.0\/endpoints(?:\/([^/]*))?\/?$/;

/** The path of the deployments API, and the endpoint that it names (undefined: all of them); null for any other path. Throws URIError. */
export function deploymentOf(path: string): { name: string | undefined } | null {
  const match = PATH.exec(path);
  if (match === null) return null;
  return { name: match[1] === undefined || match[1] === '' ? undefined : decodeURIComponent(match[1]) };
}

type Shown = Pick<ReturnType<ServingService['list']>[number], 'name' | 'model' | 'config'>;

/** MLflow's Endpoint: what `mlflow.deployments` lists. A limit there is a whole number of calls in a unit of time. */
function view({ name, model, config }: Shown): object {
  const calls = config.rateLimit?.requestsPerSecond;
  return {
    name,
    endpoint_type: 'pyfunc/v1/invocations',
    model: { name: model, provider: 'binnacle' },
    endpoint_url: `/endpoints/${encodeURIComponent(name)}/invocations`,
    limit: calls !== undefined && Number.isInteger(calls) ? { calls, key: null, renewal_period: 'second' } : null,
  };
}

/** GET /api/2.0/endpoints/ and /api/2.0/endpoints/{name}, by which `mlflow.deployments.get_deploy_client(URL)` finds what it can call. */
export function sendDeployments(serving: ServingService, response: ServerResponse, name: string | undefined): void {
  try {
    const text = JSON.stringify(name === undefined ? { endpoints: serving.list().map(view) } : view(serving.get(name)));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
  } catch (error) {
    sendError(
      response,
      error instanceof BinnacleError && error.kind === 'not_found'
        ? new BinnacleError('not_found', error.code, `The endpoint '${name}' is not present or active on the server. Please verify the endpoint name.`)
        : error,
    );
  }
}
