import { BinnacleError, invalid, type LogControl, type Logger, newRequestId } from '../../kernel/index.ts';
import { newTiming, type RepositoryControl, type ServingService, type Tensor } from '../../serving/index.ts';
import { dataToBinary } from './binary-tensors.ts';
import { classify } from './classification.ts';
import { createLogSettings, type LogSettingsService } from './log-settings.ts';
import { modelConfigOf, platformOf } from './model-config.ts';
import { createModelRepository, type ModelRepository } from './repository.ts';
import { createSharedMemory, type SystemSharedMemory } from './shared-memory.ts';
import { modelStatistics } from './statistics.ts';
import { createTraces, type Trace, type TraceService } from './trace.ts';
import type { InferenceMeta, InferenceReply, InferenceRequest, ModelConfig, ModelMetadata, ModelStatistics, ReplyOutput, RequestedOutput } from './types.ts';

export interface CoreOptions {
  serving: ServingService;
  logger: Logger;
  /** The server's version, for its metadata. */
  version: string;
  /** Mounted model repositories. */
  repositories?: RepositoryControl | undefined;
  /** Whether clients may hand over tensors in /dev/shm. */
  sharedMemory?: boolean;
  /** The most that a request's inputs may take from there. */
  maxBodyBytes?: number;
  /** Where traces are written; undefined: no tracing. */
  traceFile?: string | undefined;
  /** What changes the server's log; undefined: it stays as it is. */
  logControl?: LogControl | undefined;
}

/** What Open Inference asks of a server, whatever carries it: REST here, gRPC beside it. Names and versions are checked here, messages by whoever reads them. */
export interface OpenInferenceCore {
  serverMetadata(): { name: string; version: string; extensions: string[] };
  ready(): boolean;
  /** False while no version answers, and for names that are not served. */
  modelReady(name: string, version?: number): boolean;
  modelMetadata(name: string, version?: number): ModelMetadata;
  modelConfig(name: string, version?: number): ModelConfig;
  /** Of one model (every version that answers, or one) or of all. */
  statistics(name?: string, version?: number): ModelStatistics[];
  readonly repository: ModelRepository;
  readonly memory: SystemSharedMemory;
  /** Undefined: tracing is not there. */
  readonly traces: TraceService | undefined;
  readonly logs: LogSettingsService | undefined;
  /** Throws `invalid` with Triton's text when a model is not served. */
  traceable(name: string): void;
  infer(name: string, version: number | undefined, request: InferenceRequest, meta: InferenceMeta): Promise<InferenceReply>;
  /** Told of a request for a model that was refused before it came to `infer`. */
  refused(name: string, times: { receivedAt: number; startedAt: number }, error: unknown): void;
  close(): Promise<void>;
}

export function createCore(options: CoreOptions): OpenInferenceCore {
  const { serving, version: serverVersion, logger } = options;
  const memory = createSharedMemory({ enabled: options.sharedMemory ?? false, maxReadBytes: options.maxBodyBytes });
  const traces = options.traceFile === undefined ? undefined : createTraces({ file: options.traceFile, logger });
  const logs = options.logControl === undefined ? undefined : createLogSettings(options.logControl);
  const repository = createModelRepository(serving, options.repositories);
  // An extension is named only when all of it works.
  const extensions = [
    'classification',
    'sequence',
    'model_repository',
    'model_repository(unload_dependents)',
    'schedule_policy',
    'model_configuration',
    ...(memory.enabled ? ['system_shared_memory'] : []),
    'binary_tensor_data',
    'parameters',
    'statistics',
    ...(traces === undefined ? [] : ['trace']),
    ...(logs === undefined ? [] : ['logging']),
  ];

  return {
    serverMetadata: () => ({ name: 'binnacle', version: serverVersion, extensions }),
    ready: () => serving.ready,
    repository,
    memory,
    traces,
    logs,

    modelReady(name, version) {
      try {
        serving.served(name, version);
        return true;
      } catch (error) {
        if (error instanceof BinnacleError && (error.kind === 'unavailable' || error.kind === 'not_found')) return false;
        throw error;
      }
    },

    modelMetadata(name, version) {
      const served = serving.served(name, version);
      return {
        name,
        versions: served.versions.map(String),
        platform: platformOf(served).platform,
        inputs: served.version.inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
        outputs: served.version.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
      };
    },

    modelConfig: (name, version) => modelConfigOf(serving.served(name, version)),
    statistics: (name, version) => modelStatistics(serving, name, version),

    traceable(name) {
      if (!serving.list().some((endpoint) => endpoint.name === name)) throw invalid('unknown_model', `Request for unknown model : ${name}`);
    },

    refused: (name, times, error) => serving.refused({ endpoint: name, ...times }, error),

    async infer(name, version, request, meta) {
      const { receivedAt, startedAt } = meta;
      const id = request.id ?? meta.requestId ?? newRequestId(receivedAt);
      const trace = traces?.begin(name, meta.transport ?? 'HTTP');
      const requestAt = trace === undefined ? 0 : performance.now();
      const call = request.call ?? {};
      call.signal = meta.signal;
      call.timing = newTiming();
      let given: Tensor[] = [];
      const reply = await serving.infer({
        endpoint: name,
        version,
        inputs: trace === undefined ? request.inputs : (of) => (given = typeof request.inputs === 'function' ? request.inputs(of) : request.inputs),
        outputs: request.outputs?.map((output) => output.name),
        call,
        header: meta.header,
        requestId: id,
        eventTime: meta.eventTime,
        receivedAt,
        startedAt,
      });
      const outputs = finishOutputs();
      return { model: name, version: reply.version.version, id, outputs, finish: trace === undefined ? reply.finish : traced(), release: reply.release };

      function finishOutputs(): ReplyOutput[] {
        try {
          return reply.outputs.map((output) => finishOutput(output, request, reply.version, memory));
        } catch (error) {
          serving.refused({ endpoint: name, receivedAt, startedAt }, error);
          throw error;
        }
      }

      function traced(): InferenceReply['finish'] {
        const answeredAt = performance.now();
        return () => {
          const times = { receivedAt: startedAt, requestAt, answeredAt, sentAt: performance.now(), timing: reply.timing, version: reply.version.version };
          (trace as Trace).finish(times, { inputs: given, outputs: reply.outputs });
          return reply.finish();
        };
      }
    },

    async close() {
      memory.close();
      await traces?.close();
    },
  };
}

/** An output as it was asked for: its best classes, and in the caller's memory. */
function finishOutput(output: Tensor, request: InferenceRequest, version: Parameters<typeof classify>[2], memory: SystemSharedMemory): ReplyOutput {
  const wanted: RequestedOutput | undefined = request.outputs?.find(({ name }) => name === output.name);
  if (wanted === undefined) return { ...output, binary: request.binaryDefault };
  const tensor = wanted.classification !== undefined && wanted.classification > 0 ? classify(output, wanted.classification, version) : output;
  if (wanted.memory === undefined) return { ...tensor, binary: wanted.binary };
  memory.write(wanted.memory, dataToBinary(tensor), output.name);
  return { ...tensor, binary: wanted.binary, memory: wanted.memory };
}
