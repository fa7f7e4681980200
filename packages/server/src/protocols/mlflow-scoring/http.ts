import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DataPlane } from '../../http/data-plane/index.ts';
import { invalid } from '../../kernel/index.ts';
import type { ServingService } from '../../serving/index.ts';
import { deploymentOf, sendDeployments } from './deployments.ts';
import { sendError, sendText } from './errors.ts';
import { type InvocationOptions, invoke } from './invoke.ts';

export interface ScoringOptions extends InvocationOptions {
  /** Served at /invocations and /ping too. */
  defaultEndpoint?: string | undefined;
  /** The release of MLflow whose clients may call. */
  mlflowVersion: string;
}

const PATH = /^\/endpoints\/([^/]+)\/(invocations|ping|health|version)$/;

/**
 * MLflow's scoring protocol: /endpoints/{name}/invocations, /ping, /health and /version, which is SageMaker's path for its runtime API too;
 * for a default endpoint /invocations and /ping as `mlflow models serve` and containers of SageMaker have them; and the list of endpoints
 * that `mlflow.deployments` reads.
 */
export function mlflowScoring(options: ScoringOptions): DataPlane {
  return (request, response, path) => {
    try {
      return route(options, request, response, path);
    } catch (cause) {
      sendError(response, cause instanceof URIError ? invalid('invalid_path', 'the path holds a broken escape', { cause }) : cause);
      return true;
    }
  };
}

function route(options: ScoringOptions, request: IncomingMessage, response: ServerResponse, path: string): boolean {
  const { serving, defaultEndpoint } = options;
  if (path === '/invocations' || path === '/ping') {
    if (defaultEndpoint === undefined) return false;
    act(options, request, response, defaultEndpoint, path.slice(1));
    return true;
  }
  const match = PATH.exec(path);
  if (match !== null) {
    act(options, request, response, decodeURIComponent(match[1] as string), match[2] as string);
    return true;
  }
  const deployment = deploymentOf(path);
  if (deployment === null) return false;
  if (isGet(request)) sendDeployments(serving, response, deployment.name);
  else notAllowed(response, request.method, 'GET');
  return true;
}

const isGet = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD';

function act(options: ScoringOptions, request: IncomingMessage, response: ServerResponse, name: string, action: string): void {
  if (action === 'invocations') {
    if (request.method === 'POST') void invoke(options, name, request, response);
    else notAllowed(response, request.method, 'POST');
  } else if (!isGet(request)) notAllowed(response, request.method, 'GET');
  else if (action === 'version') sendText(response, 200, options.mlflowVersion);
  else ping(options.serving, name, response);
}

function notAllowed(response: ServerResponse, method: string | undefined, allow: string): void {
  const body = JSON.stringify({ error_code: 'BAD_REQUEST', message: `${method} is not allowed here; use ${allow}.` });
  response.writeHead(405, { allow, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
}

function ping(serving: ServingService, name: string, response: ServerResponse): void {
  let status = 200;
  try {
    serving.served(name);
  } catch {
    status = 404;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': 1 }).end('\n');
}
