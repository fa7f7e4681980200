import { expect, it } from 'vitest';
import { creation, type CreationOptions } from './creation.ts';

const options: CreationOptions = {
  spec: {
    name: 'm',
    software: { kind: 'python', python: '3.12', requirements: '', constraints: null },
    command: ({ python, host, port, folders }) => [python, 'serve', folders['model'] ?? '', `${host}:${port}`],
    env: { SAID: 'yes' },
    folders: { model: '/data/artifacts/m' },
    limits: { memoryMiB: 512, cpus: 1.5 },
  },
  image: 'binnacle-model:1',
  network: 'none',
  port: 4321,
  socketDir: '/data/run/1',
  user: { uid: 65534, gid: 65534 },
  init: true,
  env: { SAID: 'yes' },
  labels: { 'binnacle.owner': 'o' },
};

it('gives a container its model and its socket, and takes all else away', () => {
  const { HostConfig, User, Cmd, Env } = creation(options);
  expect(User).toBe('65534:65534');
  expect(Cmd).toEqual(['python', 'serve', '/model', '0.0.0.0:8080']);
  expect(Env).toContain('UVICORN_UDS=/run/binnacle/model.sock');
  expect(Env).toContain('OMP_NUM_THREADS=2');
  expect(HostConfig).toMatchObject({
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    Memory: 512 * 2 ** 20,
    MemorySwap: 512 * 2 ** 20,
    NanoCpus: 1.5e9,
    Mounts: [
      { Type: 'bind', Source: '/data/artifacts/m', Target: '/model', ReadOnly: true },
      { Type: 'bind', Source: '/data/run/1', Target: '/run/binnacle', ReadOnly: false },
    ],
  });
  expect(HostConfig).not.toHaveProperty('PortBindings');
  expect(HostConfig).not.toHaveProperty('Privileged');
});

it('publishes a port on loopback only where it has the bridge', () => {
  const { HostConfig, Env, ExposedPorts } = creation({ ...options, network: 'bridge' });
  expect(HostConfig).toMatchObject({ NetworkMode: 'bridge', PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '4321' }] } });
  expect(HostConfig.Mounts).toHaveLength(1);
  expect(ExposedPorts).toEqual({ '8080/tcp': {} });
  expect(Env.join(' ')).not.toContain('SOCKET');
});

it('listens on loopback where it shares the host’s network', () => {
  expect(creation({ ...options, network: 'host' }).Cmd?.at(-1)).toBe('127.0.0.1:4321');
});

it('hands signals on where the engine has no init, and leaves an image its own entry point', () => {
  const wrapped = creation({ ...options, init: false });
  expect(wrapped.Cmd?.slice(0, 2)).toEqual(['/bin/sh', '-c']);
  expect(wrapped.Cmd?.slice(-4)).toEqual(['python', 'serve', '/model', '0.0.0.0:8080']);
  const own = creation({ ...options, init: false, spec: { ...options.spec, software: { kind: 'image', image: 'x' }, command: () => [] } });
  expect(own).not.toHaveProperty('Cmd');
  expect(own).not.toHaveProperty('Entrypoint');
  expect(own.Env).toContain('PORT=8080');
});
