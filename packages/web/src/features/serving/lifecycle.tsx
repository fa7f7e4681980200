import type { EndpointDetail } from '@binnacle/contract';
import { Button } from '@mantine/core';
import { useAction } from '../use-action.ts';

/** Takes the models out of memory, brings them back, and runs them warm. */
export function Lifecycle({ endpoint }: { endpoint: EndpointDetail }) {
  const params = { params: { endpoint: endpoint.name } };
  const load = useAction('loadEndpoint', { notifyError: true, done: ({ state }) => `${endpoint.name} is ${state}` });
  const unload = useAction('unloadEndpoint', { notifyError: true, done: `${endpoint.name} is unloaded` });
  const warm = useAction('warmEndpoint', {
    notifyError: true,
    done: ({ versions }) => versions.map(({ version, millis }) => `Version ${version}: ${millis === null ? 'no sample to run' : `${millis} ms`}`).join(' · '),
  });
  // What a repository serves is loaded and unloaded through the repository; the server refuses it here.
  const owned = endpoint.source === 'registry';
  const gone = endpoint.state === 'unloaded' || endpoint.state === 'failed';
  if (gone && !owned) return null;
  if (gone)
    return (
      <Button variant="default" loading={load.isPending} onClick={() => load.mutate(params)}>
        {endpoint.state === 'failed' ? 'Try again' : 'Load'}
      </Button>
    );
  return (
    <>
      <Button variant="default" loading={warm.isPending} onClick={() => warm.mutate(params)}>
        Warm
      </Button>
      {owned && (
        <Button
          variant="default"
          loading={unload.isPending}
          onClick={() => {
            if (confirm(`Unload ${endpoint.name}? Clients will get 503 until it is loaded again.`)) unload.mutate(params);
          }}
        >
          Unload
        </Button>
      )}
    </>
  );
}
