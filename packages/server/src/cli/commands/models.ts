import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { GateReport, RemoteProtocol } from '@binnacle/contract';
import { UsageError } from '../usage.ts';
import { type ConnectFlags, connect } from '../connect.ts';
import { ago, bold, dim, formatTable, green, print, printJson, red, yellow } from '../output.ts';
import { allPages } from '../all-pages.ts';
import { parseModelRef } from '../refs.ts';

type Flags = ConnectFlags & { json?: true | undefined };

export async function list(options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const models = await allPages(async (pageToken, limit) => {
      const page = await client.call('listModels', { query: { limit, pageToken } });
      return { items: page.models, nextPageToken: page.nextPageToken };
    }, 1000);
    if (options.json) return printJson(models);
    if (models.length === 0) return print(dim('No models. Push one: npx binnacle models push model.onnx --name my-model'));
    print(
      formatTable(models, [
        { title: 'MODEL', value: (m) => m.name },
        { title: 'VERSIONS', align: 'right', value: (m) => m.versionCount },
        {
          title: 'ALIASES',
          value: (m) =>
            Object.entries(m.aliases)
              .map(([alias, version]) => `${alias}=${version}`)
              .join(' '),
        },
        { title: 'ENDPOINTS', value: (m) => m.endpoints.join(' ') },
        {
          title: 'GATES',
          value: (m) =>
            m.gatePolicy === null
              ? ''
              : Object.keys(m.gatePolicy)
                  .filter((key) => key !== 'aliases')
                  .join(' '),
        },
        { title: 'UPDATED', value: (m) => ago(m.updatedAt) },
      ]),
    );
  } finally {
    await close();
  }
}

export async function show(model: string, options: Flags): Promise<void> {
  const { client, close } = await connect(options);
  try {
    const detail = await client.call('getModel', { params: { model } });
    if (options.json) return printJson(detail);
    print(`${bold(detail.name)}  ${detail.description}`);
    print(
      formatTable(detail.versions, [
        { title: 'VERSION', align: 'right', value: (v) => v.version },
        { title: 'ALIASES', value: (v) => v.aliases.join(' ') },
        { title: 'STATUS', value: (v) => (v.servable ? v.status : `${v.status} (not servable)`) },
        { title: 'RUN', value: (v) => v.runName ?? v.runId ?? '' },
        {
          title: 'GATES',
          value: (v) =>
            v.lastGateReport === null
              ? ''
              : v.lastGateReport.forced
                ? 'forced'
                : v.lastGateReport.passed
                  ? 'passed'
                  : `failed: ${v.lastGateReport.results
                      .filter((r) => !r.passed)
                      .map((r) => r.gate)
                      .join(', ')}`,
        },
        { title: 'CREATED', value: (v) => ago(v.createdAt) },
      ]),
    );
  } finally {
    await close();
  }
}

export interface PushFlags extends Flags {
  name: string;
  description?: string | undefined;
  remote?: string | undefined;
  protocol?: RemoteProtocol | undefined;
  remoteModel?: string | undefined;
  remoteVersion?: string | undefined;
  token?: string | undefined;
  timeoutMs?: number | undefined;
  payload?: 'open-inference' | 'mlflow' | undefined;
  signature?: string | undefined;
}

/** An ONNX file, or with `--remote` a model that another server executes. */
export async function push(file: string | undefined, options: PushFlags): Promise<void> {
  const { remote } = options;
  if ((file === undefined) === (remote === undefined))
    throw new UsageError('Give either an .onnx file (or the MLmodel file of an ensemble), or --remote URL for a model that another server executes.');
  if (file !== undefined) await needFile(file, 'an .onnx file, or the MLmodel file of an ensemble');
  if (options.signature !== undefined) await needFile(options.signature, 'an MLmodel file');
  const { client, url, close } = await connect(options);
  const description = options.description === undefined ? {} : { description: options.description };
  try {
    const version =
      remote === undefined
        ? await client.call('uploadVersion', {
            params: { model: options.name },
            query: { filename: basename(file ?? ''), ...description },
            rawBody: await openAsBlob(file ?? ''),
          })
        : await client.call('registerRemote', {
            params: { model: options.name },
            body: {
              url: remote,
              protocol: options.protocol ?? 'open-inference',
              ...description,
              ...given({
                remoteModel: options.remoteModel,
                remoteVersion: options.remoteVersion,
                token: options.token,
                timeoutMs: options.timeoutMs,
                payload: options.payload,
              }),
              ...(options.signature === undefined ? {} : { signature: await readFile(options.signature, 'utf8') }),
            },
          });
    if (options.json) return printJson(version);
    print(`${green('✓')} ${version.model}/${version.version}`);
    if (remote !== undefined && version.tensors === null)
      print(yellow(`  ${remote} did not say what the model takes; it is asked again when the version is served.`));
    for (const tensor of version.tensors?.inputs ?? []) print(`  in   ${tensor.name.padEnd(20)} ${tensor.datatype} [${tensor.shape.join(', ')}]`);
    for (const tensor of version.tensors?.outputs ?? []) print(`  out  ${tensor.name.padEnd(20)} ${tensor.datatype} [${tensor.shape.join(', ')}]`);
    print(
      dim(`  next: npx binnacle models promote ${version.model}/${version.version} --alias champion    ${url}/ui/models/${encodeURIComponent(version.model)}`),
    );
  } finally {
    await close();
  }
}

async function needFile(file: string, what: string): Promise<void> {
  const info = await stat(file).catch(() => undefined);
  if (info === undefined || !info.isFile()) throw new UsageError(`${file} is not a file. Give the path of ${what}.`);
}

/** Without what was not said. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

export function formatReport(report: GateReport): string {
  return report.results.map((r) => `  ${r.passed ? green('pass') : red('FAIL')}  ${r.gate.padEnd(10)} ${r.message}`).join('\n');
}

export async function promote(ref: string, options: Flags & { alias: string; force?: true | undefined; reason?: string | undefined }): Promise<void> {
  const { model, version } = parseModelRef(ref);
  if (version === undefined) throw new UsageError(`Name a version: ${model}/1`);
  if (options.force && options.reason === undefined) throw new UsageError('--force needs --reason "why": it is recorded.');
  const { client, close } = await connect(options);
  try {
    const result = await client.call('setAlias', {
      params: { model, alias: options.alias },
      body: { version, force: options.force ?? false, ...(options.reason === undefined ? {} : { reason: options.reason }) },
    });
    if (options.json) return printJson(result);
    print(`${green('✓')} ${model}@${options.alias} is version ${version}${result.report?.forced ? yellow('  (forced)') : ''}`);
    if (result.report !== null) print(formatReport(result.report));
  } finally {
    await close();
  }
}
