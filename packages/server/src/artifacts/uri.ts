import { invalid, notFound, unsupported } from '../kernel/index.ts';
import { checkArtifactPath, joinArtifactPath } from './paths.ts';

/** Where runs and logged models keep their files. Tracking's service satisfies it. */
export interface ArtifactUriLookup {
  /** The run's artifact URI; undefined when there is no such run. */
  runArtifactUri(runId: string): Promise<string | undefined>;
  /** The logged model's artifact URI; undefined when there is no such model. */
  loggedModelArtifactUri(modelId: string): Promise<string | undefined>;
}

const LOGGED_MODEL = /^models:\/+(m-[0-9a-zA-Z]+)(?:\/(.*))?$/s;
const RUN = /^runs:\/+([^/]+)(?:\/(.*))?$/s;
// With or without an authority; the host is whatever name the client reached us by, so it is not looked at.
const PROXY = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.*)$/s;

/** The path behind the artifact proxy, as it is written: not checked. Undefined for any other URI. */
export const proxiedPath = (uri: string): string | undefined => PROXY.exec(uri)?.[1];

/** Whether a URI leads to a store that is neither this server's own nor a disk. One letter before the colon is a drive. */
export const isElsewhere = (uri: string): boolean => {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(uri)?.[1]?.toLowerCase();
  return scheme !== undefined && scheme !== 'file' && scheme !== 'mlflow-artifacts';
};

export type ParsedArtifactUri =
  | { kind: 'proxy'; path: string }
  | { kind: 'run'; runId: string; path: string }
  | { kind: 'logged-model'; modelId: string; path: string };

/**
 * Takes an artifact URI apart; `path` is checked. Throws `unsupported` (code `artifact_uri_foreign`) for a scheme that this server does
 * not store, `invalid` for one that it does and that is malformed.
 */
export function parseArtifactUri(uri: string): ParsedArtifactUri {
  const checked = (path: string | undefined) => checkArtifactPath(path ?? '', { allowRoot: true });
  const run = RUN.exec(uri);
  if (run !== null) return { kind: 'run', runId: run[1] ?? '', path: checked(run[2]) };
  const model = LOGGED_MODEL.exec(uri);
  if (model !== null)
    return {
      kind: 'logged-model',
      modelId: model[1] ?? '',
      path: checked(model[2]),
    };
  const proxied = proxiedPath(uri);
  if (proxied !== undefined) return { kind: 'proxy', path: checked(proxied) };
  if (/^(runs|models):/.test(uri))
    throw invalid(
      'artifact_uri_invalid',
      `The URI ${JSON.stringify(uri)} is malformed. Write runs:/<run id>/<path>, models:/m-<id> or mlflow-artifacts:/<path>.`,
    );
  throw unsupported(
    'artifact_uri_foreign',
    `The files of ${JSON.stringify(uri)} are not in this server's artifact store. Use mlflow-artifacts:/<path>, runs:/<run id>/<path> or models:/m-<id>.`,
  );
}

/** The path in the artifact store that a URI names. `not_found` when its run or logged model does not exist. */
export async function resolveArtifactUri(uri: string, lookup: ArtifactUriLookup): Promise<string> {
  const parsed = parseArtifactUri(uri);
  if (parsed.kind === 'proxy') return parsed.path;
  const base = parsed.kind === 'run' ? await lookup.runArtifactUri(parsed.runId) : await lookup.loggedModelArtifactUri(parsed.modelId);
  if (base === undefined)
    throw notFound(
      'artifact_owner_not_found',
      parsed.kind === 'run' ? `No run ${parsed.runId}, named by ${uri}.` : `No logged model ${parsed.modelId}, named by ${uri}.`,
    );
  const root = parseArtifactUri(base);
  // A run's own location never points at another run: following it further could loop.
  if (root.kind !== 'proxy') throw unsupported('artifact_uri_foreign', `The files of ${uri} are at ${base}, which this server does not store.`);
  return joinArtifactPath(root.path, parsed.path);
}
