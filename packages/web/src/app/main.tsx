import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@mantine/spotlight/styles.css';
import './base.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { BinnacleApiError } from '@binnacle/sdk';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { legacyPath } from './legacy-links.ts';
import { router } from './router.tsx';
import { resolver, theme } from './theme.ts';

/** MLflow's hash links, at `/` or anywhere else, open our pages. */
function followLegacyLink(first: boolean): void {
  const path = legacyPath(location.hash);
  if (path !== undefined) {
    if (first) history.replaceState(null, '', `/ui${path}`);
    else router.history.replace(`/ui${path}`);
  } else if (first && !/^\/ui(\/|$)/.test(location.pathname)) {
    history.replaceState(null, '', '/ui/');
  }
}
followLegacyLink(true);
addEventListener('hashchange', () => followLegacyLink(false));

const queries = new QueryClient({
  defaultOptions: {
    // A server on this machine answers without any network.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 2_000,
      // What the server refused once it refuses again; only a lost connection is worth another try.
      retry: (count, error) => count < 2 && error instanceof BinnacleApiError && (error.status === 0 || error.status === 503),
    },
  },
});

const container = document.getElementById('root');
if (container === null) throw new Error('index.html has no #root');
createRoot(container).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolver}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: 'binnacle-color-scheme' })}
    >
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" limit={4} />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
