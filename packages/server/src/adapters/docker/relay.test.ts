import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openRelay, relayDirOf } from './relay.ts';

const made: Server[] = [];
vi.mock('node:net', async (original) => {
  const net = await original<typeof import('node:net')>();
  return {
    ...net,
    createServer: (...words: Parameters<typeof net.createServer>) => {
      const server = net.createServer(...words);
      made.push(server);
      return server;
    },
  };
});

let root: string;
let folder: string;
let relay: Awaited<ReturnType<typeof openRelay>>;
const listen = (path: string, word: string) =>
  new Promise<void>((resolve) => {
    createServer((socket) => socket.on('error', () => {}).end(word)).listen(path, resolve);
  });
const ask = () =>
  new Promise<string>((resolve) => {
    let said = '';
    const socket = connect(relay.port, '127.0.0.1');
    socket.on('data', (part) => (said += part.toString()));
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
  });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'binnacle-relay-'));
  folder = join(root, 'in');
  await mkdir(folder);
  relay = await openRelay(join(folder, 'model.sock'));
});
afterEach(async () => {
  relay.close();
  for (const server of made.splice(0)) server.close();
  await rm(root, { recursive: true, force: true });
});

it('leads to the socket once it is there, and to one that takes its place', async () => {
  expect(await ask()).toBe('');
  await listen(join(folder, 'model.sock'), 'model');
  expect(await ask()).toBe('model');
  await listen(join(folder, 'next.sock'), 'next');
  await rename(join(folder, 'next.sock'), join(folder, 'model.sock'));
  expect(await ask()).toBe('next');
  await vi.waitFor(async () => expect(await readdir(relayDirOf(folder))).toEqual([]));
});

it('does not follow a link that the container puts in its place', async () => {
  await listen(join(root, 'other.sock'), 'secret');
  await symlink(join(root, 'other.sock'), join(folder, 'model.sock'));
  expect(await ask()).toBe('');
});

it('takes so many connections, and outlives those that cannot be accepted', async () => {
  const [server] = made;
  expect(server?.maxConnections).toBe(256);
  for (let i = 0; i < 2; i++) server?.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
  await listen(join(folder, 'model.sock'), 'model');
  expect(await ask()).toBe('model');
});
