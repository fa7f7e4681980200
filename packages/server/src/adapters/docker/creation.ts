import type { ServiceSpec } from '../../compute/index.ts';

export type Network = 'none' | 'bridge' | 'host';

/** Where services listen inside. */
export const PORT = 8080;
/** Where the folder with the socket is inside. */
export const SOCKET_DIR = '/run/binnacle';
export const SOCKET_NAME = 'model.sock';
const MIB = 1024 * 1024;
/** Hands SIGTERM on to everything inside, and ends as its program does. */
const FORWARD = 'trap "kill -TERM -1" TERM; "$@" & wait $!; code=$?; wait $! 2>/dev/null && code=0; exit $code';
/** Enough for the threads of numerical libraries on big machines; a fork bomb's end. */
const MAX_PROCESSES = 1024;

export interface CreationOptions {
  spec: ServiceSpec;
  image: string;
  network: Network;
  /** On this machine, loopback; inside too when the network is the host's. */
  port: number;
  socketDir: string;
  user: { uid: number; gid: number };
  /** Whether the engine has docker-init. */
  init: boolean;
  env: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
}

/** The body of the engine's `POST /containers/create`. */
export function creation({ spec, image, network, port, socketDir, user, init, env, labels }: CreationOptions) {
  const inside = network === 'host' ? port : PORT;
  const folders = Object.fromEntries(Object.keys(spec.folders).map((name) => [name, `/${name}`]));
  const socket = network === 'none' ? `${SOCKET_DIR}/${SOCKET_NAME}` : undefined;
  const words = spec.command({ python: 'python', host: network === 'host' ? '127.0.0.1' : '0.0.0.0', port: inside, socket, folders });
  // Without docker-init a program is process 1 itself, and signals that it has no handler for do not reach it.
  const command = init || words.length === 0 || spec.software.kind === 'image' ? words : ['/bin/sh', '-c', FORWARD, 'sh', ...words];
  const { memoryMiB, cpus } = spec.limits;
  const variables: Record<string, string> = {
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    PORT: `${inside}`,
    // uvicorn, under MLflow and FastAPI alike, reads its options from variables, and a socket goes before a port.
    ...(socket === undefined ? {} : { UVICORN_UDS: socket, BINNACLE_SOCKET: socket }),
    ...(cpus === undefined
      ? {}
      : Object.fromEntries(['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'].map((name) => [name, `${Math.ceil(cpus)}`]))),
    ...env,
  };
  return {
    Image: image,
    ...(command.length === 0 ? {} : { Cmd: command, Entrypoint: [] as string[] }),
    Env: Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    User: `${user.uid}:${user.gid}`,
    WorkingDir: '/tmp',
    ...(network === 'bridge' ? { ExposedPorts: { [`${inside}/tcp`]: {} } } : {}),
    HostConfig: {
      NetworkMode: network,
      ...(network === 'bridge' ? { PortBindings: { [`${inside}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: `${port}` }] } } : {}),
      Mounts: [
        ...Object.entries(spec.folders).map(([name, source]) => ({ Type: 'bind', Source: source, Target: `/${name}`, ReadOnly: true })),
        ...(network === 'none' ? [{ Type: 'bind', Source: socketDir, Target: SOCKET_DIR, ReadOnly: false }] : []),
      ],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': `rw,nosuid,nodev,size=1073741824,mode=1777,uid=${user.uid},gid=${user.gid}` },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: MAX_PROCESSES,
      // The same for both: no more by swapping.
      ...(memoryMiB === undefined ? {} : { Memory: memoryMiB * MIB, MemorySwap: memoryMiB * MIB }),
      ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
      Init: init,
      OomScoreAdj: 500,
      // The whole of it is followed and kept by Binnacle.
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
    },
  };
}
