import { createHash } from 'node:crypto';
import type { OnLine, Software } from '../../compute/index.ts';
import { messageOf, SharedWork, unavailable } from '../../kernel/index.ts';
import { type Engine, EngineError, followProgress } from './engine.ts';
import { tarOf } from './tar.ts';

export interface ImagesOptions {
  engine: Engine;
  /** Has everything already: nothing is built. */
  ready: string | undefined;
  /** Variables that pip may see while an image is built. Not in the image's environment, but kept in its history (`docker history`), proxies apart. */
  buildArgs: Readonly<Record<string, string>>;
}

export interface Images {
  /** Ends what is being built or fetched. */
  close(): void;
  /**
   * The image to start; known to the engine afterwards. Throws `unavailable` with what pip or the registry said. Once `signal` is aborted and nobody
   * else waits for it, building or fetching is ended.
   */
  imageFor(software: Software, onLine: OnLine, signal?: AbortSignal): Promise<string>;
}

const DEFAULT_PYTHON = '3.12';
/** Docker hands these to a build undeclared, and leaves them out of the image's history then: an address may carry a password. */
const KNOWN_ARGS = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]));

/** Images for models: one that was named, or one a digest of requirements and Python version, built once and kept by the engine. */
export function createImages({ engine, ready, buildArgs }: ImagesOptions): Images {
  const underWay = new SharedWork<string>();

  async function has(image: string): Promise<boolean> {
    try {
      await engine.call(`/images/${encodeURIComponent(image)}/json`);
      return true;
    } catch (error) {
      if (error instanceof EngineError && error.status === 404) return false;
      throw error;
    }
  }

  async function pulled(image: string, onLine: OnLine, signal: AbortSignal): Promise<string> {
    if (await has(image)) return image;
    onLine(`pulling ${image}`, 'binnacle');
    try {
      const named = /@|:[^/]*$/.test(image) ? image : `${image}:latest`;
      await followProgress(await engine.stream('/images/create', { method: 'POST', query: { fromImage: named }, signal }), (text) => onLine(text, 'stdout'));
    } catch (error) {
      throw unavailable(
        'image_missing',
        `The image ${image} is not on this machine and could not be fetched: ${messageOf(error)}. Try \`docker pull ${image}\`, which can also log in.`,
        { cause: error },
      );
    }
    return image;
  }

  async function built(software: Extract<Software, { kind: 'python' }>, onLine: OnLine, signal: AbortSignal): Promise<string> {
    const base = `python:${software.python ?? DEFAULT_PYTHON}-slim`;
    const recipe = dockerfile(base, Object.keys(buildArgs), software.constraints !== null);
    const digest = createHash('sha256')
      .update(JSON.stringify([recipe, software.requirements, software.constraints]))
      .digest('hex')
      .slice(0, 32);
    const image = `binnacle-model:${digest}`;
    if (await has(image)) return image;
    onLine(`building ${image} from ${base}`, 'binnacle');
    const tar = tarOf({
      Dockerfile: recipe,
      'requirements.txt': software.requirements,
      ...(software.constraints === null ? {} : { 'constraints.txt': software.constraints }),
    });
    const said: string[] = [];
    try {
      const query = {
        t: image,
        rm: true,
        forcerm: true,
        version: '1',
        buildargs: JSON.stringify(buildArgs),
        labels: JSON.stringify({ 'binnacle.requirements': digest }),
      };
      await followProgress(await engine.stream('/build', { method: 'POST', query, tar, signal }), (text) => {
        said.push(text);
        if (said.length > 8) said.shift();
        onLine(text, 'stdout');
      });
    } catch (error) {
      throw unavailable(
        'image_not_built',
        `Its image could not be built from ${base}: ${messageOf(error)}.${said.length === 0 ? '' : ` The last lines:\n${said.join('\n')}`}\nAn image that is ready can be named with --python-image, or for this version by its tag binnacle.image.`,
        { cause: error },
      );
    }
    return image;
  }

  return {
    close: () => void underWay.close(),
    imageFor(software, onLine, signal) {
      if (software.kind === 'image') return underWay.run(software.image, (nobody) => pulled(software.image, onLine, nobody), signal);
      if (ready !== undefined) return underWay.run(ready, (nobody) => pulled(ready, onLine, nobody), signal);
      return underWay.run(JSON.stringify(software), (nobody) => built(software, onLine, nobody), signal);
    },
  };
}

const dockerfile = (base: string, args: readonly string[], constrained: boolean): string =>
  [
    `FROM ${base}`,
    ...args.filter((name) => !KNOWN_ARGS.has(name)).map((name) => `ARG ${name}`),
    'WORKDIR /opt/model',
    `COPY requirements.txt${constrained ? ' constraints.txt' : ''} ./`,
    'RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-input -r requirements.txt',
    '',
  ].join('\n');
