import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { notFound, silentLogger } from '../../kernel/index.ts';
import type { ModelPackage } from '../../registry/index.ts';
import type { MonitoringStore } from '../monitoring-store.port.ts';
import { buildTrainingProfile } from './build-profile.ts';
import { TrainingProfiles } from './training.service.ts';
import { parseTrainingProfile, type TrainingProfile } from './training-profile.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'binnacle-profile-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function profiles(pkg: Partial<ModelPackage> | null, read: () => Promise<unknown> = () => Promise.reject(new Error('not a table'))) {
  const stored = new Map<string, { packageId: string; profile: TrainingProfile }>();
  let asked = 0;
  const clock = { now: 1_000_000 };
  const service = new TrainingProfiles({
    store: {
      getTrainingProfile: async (model: string, version: number) => stored.get(`${model}/${version}`) ?? null,
      putTrainingProfile: async (model: string, version: number, packageId: string, profile: TrainingProfile) =>
        void stored.set(`${model}/${version}`, { packageId, profile }),
    } as MonitoringStore,
    data: { read: read as never },
    packageOf: async () => {
      asked++;
      if (pkg === null) throw notFound('version_not_found', 'gone');
      return { id: 'one', profileFile: null, trainingDataFile: null, ...pkg } as ModelPackage;
    },
    logger: silentLogger,
    clock: () => clock.now,
  });
  return { service, stored, clock, asked: () => asked };
}

const columns = [
  { name: 'x', values: Float64Array.from({ length: 1000 }, (_, i) => i) },
  { name: 'city', values: Array.from({ length: 1000 }, (_, i) => (i % 4 === 0 ? null : `city ${i % 3}`)) },
  { name: 'target', values: new Float64Array(1000) },
  { name: 'score', values: Float64Array.from({ length: 1000 }, (_, i) => i / 1000) },
];

it('is computed once from training data, with outputs apart and the label left out', async () => {
  const { service, stored, asked } = profiles({ trainingDataFile: 'training.parquet' }, async () => ({ rows: 1000, columns, skipped: [] }));
  const [profile] = await Promise.all([service.get('m', 1), service.get('m', 1)]);
  expect(profile).toMatchObject({ source: 'training-data', rows: 1000 });
  expect(profile?.features.map(({ name, kind }) => [name, kind])).toEqual([
    ['x', 'numeric'],
    ['city', 'categorical'],
  ]);
  expect(profile?.outputs.map(({ name }) => name)).toEqual(['score']);
  expect(profile?.features[1]).toMatchObject({ missing: { share: 0.25 }, distinct: 3, other: 0 });
  expect(asked()).toBe(1);
  expect(stored.get('m/1')).toEqual({ packageId: 'one', profile });
  // What is computed can be carried in a package as it is.
  expect(parseTrainingProfile(JSON.parse(JSON.stringify(profile)), 'x')).toEqual(profile);
});

it('a package that brings a profile needs no training data; a bad one is no baseline', async () => {
  const profile = await buildTrainingProfile({ rows: 1000, columns, source: 'package', detail: '', createdAt: 0 });
  const profileFile = join(dir, 'profile.json');
  writeFileSync(profileFile, JSON.stringify({ ...profile, source: undefined, detail: undefined, createdAt: undefined }));
  expect(await profiles({ profileFile }).service.get('m', 1)).toMatchObject({ source: 'package', createdAt: 1_000_000, rows: 1000 });
  writeFileSync(profileFile, '{"format": "something"}');
  expect(await profiles({ profileFile }).service.get('m', 1)).toBeNull();
});

it('nothing, an unreadable file and a deleted version give no baseline, and are asked again after a minute', async () => {
  const { service, asked, clock } = profiles({ trainingDataFile: 'x.csv' });
  expect(await service.get('m', 1)).toBeNull();
  expect(await service.get('m', 1)).toBeNull();
  expect(asked()).toBe(1);
  clock.now += 61_000;
  expect(await service.get('m', 1)).toBeNull();
  expect(asked()).toBe(2);
  expect(await profiles(null).service.get('m', 1)).toBeNull();
  expect(await profiles({}).service.get('m', 1)).toBeNull();
});

it.each([
  ['an unknown field', { extra: 1 }, /extra/],
  ['edges that fall', { features: [{ ...numeric(), edges: [2, 1] }] }, /features\.0\.edges: must rise/],
  ['counts that do not fit', { features: [{ ...numeric(), counts: [1] }] }, /features\.0: 2 edges make 3 counts/],
  ['a name twice', { features: [numeric(), numeric()] }, /features\.1\.name: "x" comes twice/],
  ['a share above one', { features: [{ ...numeric(), missing: { share: 2, std: 0 } }] }, /features\.0\.missing\.share/],
])('a profile with %s says where', (_what, change, message) => {
  const base = { format: 'binnacle-training-profile', version: 1, rows: 10, features: [] };
  expect(() => parseTrainingProfile({ ...base, ...change }, 'binnacle/profile.json')).toThrow(message);
});

function numeric() {
  return {
    name: 'x',
    kind: 'numeric',
    rows: 10,
    missing: { share: 0, std: 0 },
    mean: 1,
    std: 1,
    min: 0,
    max: 2,
    edges: [0, 2],
    counts: [0, 10, 0],
    means: [null, 1, null],
  };
}

it('is not taken from another model that had the name before', async () => {
  const { service, stored } = profiles({ id: 'two', trainingDataFile: 'training.parquet' }, async () => ({ rows: 1000, columns, skipped: [] }));
  const former = await buildTrainingProfile({ rows: 10, columns: [], source: 'package', detail: 'of the former model', createdAt: 0 });
  stored.set('m/1', { packageId: 'one', profile: former });
  expect(await service.get('m', 1)).toMatchObject({ rows: 1000 });
  expect(stored.get('m/1')).toMatchObject({ packageId: 'two' });
});

it('that is stored holds while the package cannot be had', async () => {
  const { service, stored } = profiles(null);
  const former = await buildTrainingProfile({ rows: 10, columns: [], source: 'package', detail: '', createdAt: 0 });
  stored.set('m/1', { packageId: 'one', profile: former });
  expect(await service.get('m', 1)).toEqual(former);
});
