import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { Loading } from '../ui/states.tsx';
import { NotFoundPage, PageError } from './fallbacks.tsx';
import { batchSearch, compareSearch, endpointSearch, endpointsSearch, experimentSearch, listSearch, modelSearch, monitorSearch, runSearch } from './search.ts';
import { Shell } from './shell.tsx';

const root = createRootRoute({ component: Shell, notFoundComponent: NotFoundPage });
const parent = () => root;

const home = createRoute({ getParentRoute: parent, path: '/', component: lazyRouteComponent(() => import('../pages/home.tsx'), 'HomePage') });
const experiments = createRoute({
  getParentRoute: parent,
  path: '/experiments',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/experiments.tsx'), 'ExperimentsPage'),
});
const experiment = createRoute({
  getParentRoute: parent,
  path: '/experiments/$experimentId',
  validateSearch: experimentSearch,
  component: lazyRouteComponent(() => import('../pages/experiment.tsx'), 'ExperimentPage'),
});
const compare = createRoute({
  getParentRoute: parent,
  path: '/compare',
  validateSearch: compareSearch,
  component: lazyRouteComponent(() => import('../pages/compare.tsx'), 'ComparePage'),
});
const run = createRoute({
  getParentRoute: parent,
  path: '/runs/$runId',
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import('../pages/run.tsx'), 'RunPage'),
});
const models = createRoute({
  getParentRoute: parent,
  path: '/models',
  validateSearch: listSearch,
  component: lazyRouteComponent(() => import('../pages/models.tsx'), 'ModelsPage'),
});
const model = createRoute({
  getParentRoute: parent,
  path: '/models/$model',
  validateSearch: modelSearch,
  component: lazyRouteComponent(() => import('../pages/model.tsx'), 'ModelPage'),
});
const version = createRoute({
  getParentRoute: parent,
  path: '/models/$model/versions/$version',
  component: lazyRouteComponent(() => import('../pages/version.tsx'), 'VersionPage'),
});
const endpoints = createRoute({
  getParentRoute: parent,
  path: '/endpoints',
  validateSearch: endpointsSearch,
  component: lazyRouteComponent(() => import('../pages/endpoints.tsx'), 'EndpointsPage'),
});
const endpoint = createRoute({
  getParentRoute: parent,
  path: '/endpoints/$endpoint',
  validateSearch: endpointSearch,
  component: lazyRouteComponent(() => import('../pages/endpoint.tsx'), 'EndpointPage'),
});
const batch = createRoute({
  getParentRoute: parent,
  path: '/batch',
  validateSearch: batchSearch,
  component: lazyRouteComponent(() => import('../pages/batch-jobs.tsx'), 'BatchJobsPage'),
});
const batchJob = createRoute({
  getParentRoute: parent,
  path: '/batch/$jobId',
  component: lazyRouteComponent(() => import('../pages/batch-job.tsx'), 'BatchJobPage'),
});
const monitoring = createRoute({
  getParentRoute: parent,
  path: '/monitoring',
  component: lazyRouteComponent(() => import('../pages/monitors.tsx'), 'MonitorsPage'),
});
const monitor = createRoute({
  getParentRoute: parent,
  path: '/monitoring/$endpoint',
  validateSearch: monitorSearch,
  component: lazyRouteComponent(() => import('../pages/monitor.tsx'), 'MonitorPage'),
});

/** Other spellings people and links use. */
const runInExperiment = createRoute({
  getParentRoute: parent,
  path: '/experiments/$experimentId/runs/$runId',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/runs/$runId', params: { runId: params.runId } });
  },
});
const monitorsAlias = createRoute({
  getParentRoute: parent,
  path: '/monitors/$endpoint',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/monitoring/$endpoint', params: { endpoint: params.endpoint } });
  },
});

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    experiments,
    experiment,
    compare,
    run,
    models,
    model,
    version,
    endpoints,
    endpoint,
    batch,
    batchJob,
    monitoring,
    monitor,
    runInExperiment,
    monitorsAlias,
  ]),
  basepath: '/ui',
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading />,
  defaultErrorComponent: PageError,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
