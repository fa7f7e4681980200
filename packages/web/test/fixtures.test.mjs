import { API_PREFIX, operations } from '@binnacle/contract';
import { describe, expect, test } from 'vitest';
import { runs, versions } from './fixture-data.mjs';
import { START } from './fixture-monitoring.mjs';
import { fixtureRoutes } from './fixture-routes.mjs';

const full = fixtureRoutes();
const shape = (path) => path.replace(/:\w+|\{\w+\}/g, '*');
const operationOf = ({ method, path }) => Object.values(operations).find((o) => o.method === method && shape(o.path) === shape(path));

/** A call of each route, for something that the fixtures have. */
const PARAMS = { name: 'flight-delays', e: 'flight-delays', v: '2', a: 'challenger' };
const IDS = { experiments: '831640121795443713', runs: versions[0].runId, batch: 'b1' };
const QUERY = { 'GET /search': { q: 'flight' }, 'GET /monitors/:e/distribution': { feature: 'distance', windowStart: String(START) } };
const BODY = {
  'POST /runs/search': { experimentIds: [IDS.experiments], limit: 20 },
  'POST /runs/compare': { runIds: versions.map((v) => v.runId) },
  'POST /runs/series': { runIds: versions.map((v) => v.runId), keys: Object.keys(runs[0].metrics) },
};
const called = ({ method, path, names, handler }) => {
  const spec = `${method} ${path}`;
  const p = Object.fromEntries(names.map((n) => [n, n === 'id' ? IDS[path.split('/')[1]] : PARAMS[n]]));
  return JSON.parse(JSON.stringify(handler({ p, query: QUERY[spec] ?? {}, body: BODY[spec] ?? { version: 2 } })));
};

/** Those whose body the fixtures give back as it came. */
const ECHOES = ['PUT /models/:name/gate-policy', 'PUT /monitors/:e/config'];

describe('what the stand-in answers is what the contract promises', () => {
  test.each(full.filter(({ method, path }) => !ECHOES.includes(`${method} ${path}`)))('$method $path', (route) => {
    const operation = operationOf(route);
    expect(operation, `no operation of ${API_PREFIX} is ${route.method} ${route.path}`).toBeDefined();
    const answer = called(route);
    // Equal: nothing is missing, and nothing is there that the contract does not know (any more).
    expect(operation.response.parse(answer)).toEqual(answer);
  });
  test.each(fixtureRoutes({ empty: true }).filter(({ method, names }) => method === 'GET' && names.length === 0))(
    '$method $path of an empty server',
    (route) => {
      const answer = called(route);
      expect(operationOf(route).response.parse(answer)).toEqual(answer);
    },
  );
});
