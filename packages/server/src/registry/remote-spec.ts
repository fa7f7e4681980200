import { stringify } from 'yaml';
import { isObject } from '../kernel/index.ts';
import type { RemoteProtocol, RemoteSpec } from './types.ts';

/** The flavour of an MLmodel file that says where a model runs. */
export const REMOTE_FLAVOR = 'binnacle.remote';

const REMOTE_PROTOCOLS: readonly RemoteProtocol[] = [
  'open-inference',
  'open-inference-grpc',
  'tensorflow-serving',
  'tensorflow-serving-grpc',
  'mlflow',
  'lambda',
];

const SCHEMES: Record<RemoteProtocol, readonly string[]> = {
  'open-inference': ['http:', 'https:'],
  'open-inference-grpc': ['grpc:', 'grpcs:'],
  'tensorflow-serving': ['http:', 'https:'],
  'tensorflow-serving-grpc': ['grpc:', 'grpcs:'],
  mlflow: ['http:', 'https:'],
  lambda: ['http:', 'https:', 'lambda:'],
};
/** These servers do not say what their models take. */
export const needsSignature = ({ protocol }: RemoteSpec): boolean => protocol === 'mlflow' || protocol === 'lambda';

const KEYS = ['protocol', 'url', 'model', 'version', 'token', 'timeout_ms', 'payload'];
const MAX_TEXT = 2048;

/** Reads the flavour `binnacle.remote`. Throws an Error that says what is wrong with it. */
export function parseRemoteFlavor(flavor: unknown): RemoteSpec {
  if (!isObject(flavor)) throw new Error('it must be a mapping with protocol, url and model');
  const unknown = Object.keys(flavor).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new Error(`it has an unknown key ${JSON.stringify(unknown)} (it knows ${KEYS.join(', ')})`);
  const text = (key: string): string | undefined => {
    const value = flavor[key];
    if (value === undefined || value === null || value === '') return undefined;
    // YAML makes a number of a version that is not quoted.
    if (typeof value !== 'string' && !(key === 'version' && Number.isSafeInteger(value))) throw new Error(`its ${key} must be a text`);
    const said = String(value);
    if (said.length > MAX_TEXT || /\p{Cc}/u.test(said)) throw new Error(`its ${key} is too long or holds control characters`);
    return said;
  };
  const protocol = (text('protocol') ?? 'open-inference') as RemoteProtocol;
  if (!REMOTE_PROTOCOLS.includes(protocol)) throw new Error(`its protocol must be one of ${REMOTE_PROTOCOLS.join(', ')}`);
  const [version, token, payload] = [text('version'), text('token'), text('payload')];
  const model = text('model') ?? (protocol === 'mlflow' ? 'model' : undefined);
  if (model === undefined) throw new Error(`it names no model (${protocol === 'lambda' ? 'the function' : 'what the server calls it'})`);
  if (protocol !== 'lambda' && version !== undefined && protocol.startsWith('tensorflow') && !/^\d{1,18}$/.test(version))
    throw new Error('its version must be a whole number, as TensorFlow Serving’s are');
  if (token !== undefined && !/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/.test(token))
    throw new Error('its token must be a reference: env:NAME or file:/path. The secret itself has no place in a package');
  if (payload !== undefined && (protocol !== 'lambda' || (payload !== 'open-inference' && payload !== 'mlflow')))
    throw new Error('its payload is for lambda only, and is open-inference or mlflow');
  const timeoutMs = flavor.timeout_ms ?? undefined;
  if (timeoutMs !== undefined && !(Number.isSafeInteger(timeoutMs) && Number(timeoutMs) >= 1 && Number(timeoutMs) <= 86_400_000))
    throw new Error('its timeout_ms must be a whole number from 1 to 86400000');
  return {
    kind: 'remote',
    protocol,
    url: checkUrl(protocol, text('url')),
    model,
    ...(version === undefined ? {} : { version }),
    ...(token === undefined ? {} : { token }),
    ...(timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) }),
    ...(payload === undefined ? {} : { payload: payload as 'open-inference' | 'mlflow' }),
  };
}

/** Never quoted in an error: somebody may have put a password into it. */
function checkUrl(protocol: RemoteProtocol, text: string | undefined): string {
  const schemes = SCHEMES[protocol];
  const form = schemes.map((scheme) => `${scheme}//`).join(' or ');
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || !schemes.includes(url.protocol)) throw new Error(`its url must begin with ${form} for the protocol ${protocol}`);
  if (url.username !== '' || url.password !== '') throw new Error('its url must not hold credentials; name them by token');
  if (url.hash !== '' || (url.search !== '' && protocol !== 'lambda')) throw new Error('its url must have no query and no fragment');
  if (url.hostname === '' && url.protocol !== 'lambda:') throw new Error('its url names no host');
  // A host and a port, and nothing that a browser's idea of a URL would add to a scheme that it does not know.
  return url.href.replace(/\/+$/, '');
}

/** The MLmodel file of a model that runs elsewhere. `signature` is the mapping of another MLmodel file, as MLflow writes it. */
export function mlModelOfRemote(flavor: Record<string, unknown>, signature: unknown, facts: { runId: string | null; createdAt: number }): string {
  return stringify({
    flavors: { [REMOTE_FLAVOR]: flavor },
    ...(facts.runId === null ? {} : { run_id: facts.runId }),
    ...(signature === undefined ? {} : { signature }),
    utc_time_created: new Date(facts.createdAt).toISOString().replace('T', ' ').replace('Z', '000'),
  });
}
