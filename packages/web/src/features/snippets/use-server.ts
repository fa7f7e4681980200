import { useApi } from '../../app/api.ts';
import type { Server } from './index.ts';

/** This page's own server, as snippets address it. */
export function useServer(): Server {
  const info = useApi('getInfo');
  return { url: location.origin, token: info.data?.authentication === 'token' };
}
