import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createGraphInspector } from '../../src/adapters/onnx/index.ts';
import { silentLogger } from '../../src/kernel/index.ts';
import { createModelRepositories, type ModelRepositories, type RepositoryControl } from '../../src/serving/index.ts';
import { type ServingKit, servingKit } from './serving.ts';

export type Files = Record<string, string | Uint8Array>;

/** A folder of models; a file's path is `<model>/…`. */
export class RepositoryFolder {
  readonly dir = mkdtempSync(join(tmpdir(), 'binnacle-repository-'));
  #ticks = 0;

  constructor(files: Files = {}) {
    for (const [path, content] of Object.entries(files)) this.write(path, content);
  }

  /** Written beside and renamed, as a careful copy does. */
  write(path: string, content: string | Uint8Array): void {
    const file = join(this.dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, content);
    // No two writes have the same time, however coarse the clock of the file system.
    const at = Date.now() / 1000 + ++this.#ticks;
    utimesSync(`${file}.new`, at, at);
    renameSync(`${file}.new`, file);
  }

  folder(path: string): void {
    mkdirSync(join(this.dir, path), { recursive: true });
  }

  remove(path: string): void {
    rmSync(join(this.dir, path), { recursive: true });
  }
}

export interface RepositoryKit {
  kit: ServingKit;
  control: ModelRepositories;
  folder: RepositoryFolder;
  /** Where what is not the folder's own is kept. */
  workDir: string;
  /** A row of floats through the REST interface: the body of the reply, or its error. */
  infer(model: string, values: number[][], version?: number): Promise<any>; // eslint-disable-line
  close(): Promise<void>;
}

export interface RepositoryKitOptions {
  mode?: 'none' | 'poll' | 'explicit';
  loadModels?: string[];
  pollSeconds?: number;
  extra?: string[];
  serving?: Parameters<typeof servingKit>[0];
}

/** A server over a model repository folder. */
export async function repositoryKit(files: Files, options: RepositoryKitOptions = {}): Promise<RepositoryKit> {
  const folder = new RepositoryFolder(files);
  let control: ModelRepositories | undefined;
  const late = (): ModelRepositories => control as ModelRepositories;
  const repositories: RepositoryControl = {
    get repositories() {
      return late().repositories;
    },
    index: (repository) => late().index(repository),
    has: (model) => late().has(model),
    load: (model, load) => late().load(model, load),
    unload: (model, unload) => late().unload(model, unload),
  };
  const kit = await servingKit({ ...options.serving, repositories });
  const workDir = join(mkdtempSync(join(tmpdir(), 'binnacle-repository-work-')), 'work');
  control = createModelRepositories({
    serving: kit.serving,
    inspector: createGraphInspector(),
    repositories: [folder.dir, ...(options.extra ?? [])],
    mode: options.mode ?? 'none',
    pollSeconds: options.pollSeconds ?? 0.05,
    loadModels: options.loadModels ?? [],
    workDir,
    logger: silentLogger,
  });
  await control.start();
  return {
    kit,
    control,
    folder,
    workDir,
    async infer(model, values, version) {
      const reply = await fetch(`${kit.url}/v2/models/${model}${version === undefined ? '' : `/versions/${version}`}/infer`, {
        method: 'POST',
        body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length, values[0]?.length ?? 0], data: values.flat() }] }),
      });
      return reply.json();
    },
    async close() {
      await control?.close();
      await kit.close();
      rmSync(folder.dir, { recursive: true, force: true });
    },
  };
}
