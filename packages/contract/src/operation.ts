import type { z } from 'zod';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One operation of the native API. `path` is relative to /api/binnacle/v1; `{name}` marks a path parameter. */
export interface Operation<P extends z.ZodType = z.ZodType, Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType, R extends z.ZodType = z.ZodType> {
  method: HttpMethod;
  path: string;
  summary: string;
  tag: string;
  params?: P;
  query?: Q;
  body?: B;
  /** A raw body (`application/octet-stream`) handed to the handler as a stream. */
  rawBody?: boolean;
  /** The reply is not JSON: the handler writes a stream or text itself. */
  rawResponse?: boolean;
  /** Largest JSON body in bytes; the server's default applies when absent. */
  maxBody?: number;
  response: R;
}

/** Keeps the precise schema types of an operation table. */
export const operation = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, R extends z.ZodType>(
  op: Operation<P, Q, B, R>,
): Operation<P, Q, B, R> => op;

type Out<T> = T extends z.ZodType ? z.output<T> : undefined;
type In<T> = T extends z.ZodType ? z.input<T> : undefined;
/** What a handler receives, after validation. */
export interface OperationInput<O> {
  params: O extends { params?: infer P } ? Out<NonNullable<P>> : undefined;
  query: O extends { query?: infer Q } ? Out<NonNullable<Q>> : undefined;
  body: O extends { body?: infer B } ? Out<NonNullable<B>> : undefined;
}
/** What a client sends, before defaults are filled in. */
export interface OperationRequest<O> {
  params: O extends { params?: infer P } ? In<NonNullable<P>> : undefined;
  query: O extends { query?: infer Q } ? In<NonNullable<Q>> : undefined;
  body: O extends { body?: infer B } ? In<NonNullable<B>> : undefined;
}
export type OperationResponse<O> = O extends { response: infer R } ? Out<R> : never;
