import { expect, test } from 'vitest';
import { legacyPath } from './legacy-links.ts';

test.each([
  ['#/experiments/3/runs/ab12', '/runs/ab12'],
  ['#/experiments/3/runs/ab12/artifacts/model', '/runs/ab12?tab=artifacts'],
  ['#/experiments/3', '/experiments/3'],
  ['#/experiments', '/experiments'],
  ['#/models/flight delays', '/models/flight%20delays'],
  ['#/models/flight%20delays/versions/2', '/models/flight%20delays/versions/2'],
  ['#/compare-runs?runs=["a","b"]&experiments=["3"]', '/compare?runs=%5B%22a%22%2C%22b%22%5D'],
  ['#/experiments/3?searchFilter=x', '/experiments/3'],
  ['#content', undefined],
  ['', undefined],
  ['#/models/%E0%A4%A', '/models/%25E0%25A4%25A'],
])('%s opens %s', (hash, path) => expect(legacyPath(hash)).toBe(path));
