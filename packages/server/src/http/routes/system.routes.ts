import type { ServerInfo, systemOperations } from '@binnacle/contract';
import type { OverviewService } from '../../overview/index.ts';
import type { Handlers } from '../handlers.ts';

export interface SystemDeps {
  overview: OverviewService;
  /** What does not change while the server runs; `url` is known once it listens. */
  about: () => Omit<ServerInfo, 'counts' | 'uptimeSeconds'>;
}

export const systemHandlers = ({ overview, about }: SystemDeps): Handlers<typeof systemOperations> => ({
  async getInfo() {
    const info = about();
    return { ...info, uptimeSeconds: (Date.now() - info.startedAt) / 1000, counts: await overview.counts() };
  },
  searchAll: async ({ query }) => ({ hits: await overview.search(query.q, query.limit) }),
});
