import { loadProtos, type GrpcService, type GrpcStreamCall, serviceMethods } from '../../http/grpc/index.ts';
import { BinnacleError, notFound } from '../../kernel/index.ts';
import type { ServingService } from '../../serving/index.ts';

export interface GrpcHealthOptions {
  serving: Pick<ServingService, 'ready' | 'served'>;
  /** gRPC services that this server offers, `package.Service`: as healthy as the server is. */
  services: readonly string[];
  /** Milliseconds between two looks for those who watch; 500 by default. */
  pollMs?: number;
}

type State = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
const NUMBERS: Record<State, number> = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 };

/**
 * `grpc.health.v1.Health` (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). The empty name and the names of services stand
 * for the server, which serves once every endpoint has been tried; any other is an endpoint's, which serves while a version of it answers.
 */
export function grpcHealth({ serving, services, pollMs = 500 }: GrpcHealthOptions): GrpcService {
  const stateOf = (name: string): State => {
    if (name === '' || services.includes(name)) return serving.ready ? 'SERVING' : 'NOT_SERVING';
    try {
      serving.served(name);
      return 'SERVING';
    } catch (error) {
      return error instanceof BinnacleError && error.kind === 'unavailable' ? 'NOT_SERVING' : 'SERVICE_UNKNOWN';
    }
  };
  return {
    name: 'grpc.health.v1.Health',
    async load() {
      const root = await loadProtos('health.proto');
      return serviceMethods(root, 'grpc.health.v1.Health', {
        Check: {
          kind: 'unary',
          open: true,
          handle({ service }: { service: string }) {
            const state = stateOf(service);
            if (state === 'SERVICE_UNKNOWN') throw notFound('unknown_service', `there is no service or model '${service.slice(0, 140)}' here`);
            return { status: NUMBERS[state] };
          },
        },
        Watch: { kind: 'server-stream', open: true, handle: ({ service }: { service: string }, call) => watch(call, () => stateOf(service), pollMs) },
      });
    },
  };
}

/** Tells the state, and again whenever it changes, until the client leaves or the server stops. */
async function watch(call: GrpcStreamCall<unknown>, state: () => State, pollMs: number): Promise<void> {
  let told: State | undefined;
  const over = Promise.withResolvers<void>();
  call.signal.addEventListener('abort', () => over.resolve(), { once: true });
  let stopping = false;
  call.onDrain = () => {
    stopping = true;
    over.resolve();
  };
  const timer = setInterval(() => tell(), pollMs).unref();
  const tell = (): void => {
    const now = state();
    if (now === told) return;
    told = now;
    void call.write({ status: NUMBERS[now] });
  };
  tell();
  await over.promise;
  clearInterval(timer);
  if (stopping && told !== 'NOT_SERVING') void call.write({ status: NUMBERS.NOT_SERVING });
}
