import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Fields } from './fields.ts';

/** One endpoint: reads its fields, returns the JSON object to answer with (or a string that is already JSON). */
export interface MlflowRoute {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT';
  /** Below `/api/<version>/mlflow/`, as Fastify writes parameters: `logged-models/:model_id`. They are fields too, and win over the body's. */
  path: string;
  /** The API version that it belongs to; 2.0 unless said otherwise. */
  version?: '2.0' | '3.0';
  /** Served for MLflow's own interface alone, below `/ajax-api`. */
  ajaxOnly?: true;
  handler(fields: Fields, request: FastifyRequest, reply: FastifyReply): Promise<object | string>;
}
