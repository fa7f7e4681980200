import type { RemoteClientFactory } from '../../remote/index.ts';
import { MlflowScoring } from './client.ts';

/** Models behind MLflow's scoring protocol. */
export const mlflowScoring: RemoteClientFactory = (target) => new MlflowScoring(target);
