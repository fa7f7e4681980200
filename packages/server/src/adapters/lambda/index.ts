import type { RemoteClientFactory } from '../../remote/index.ts';
import { AwsLambda } from './client.ts';

/** Models behind AWS Lambda functions. */
export const awsLambda: RemoteClientFactory = (target) => AwsLambda.open(target);
