import { z } from 'zod';

/** Milliseconds since the Unix epoch (UTC). */
export const Timestamp = z.number().int();
/** A number that may be NaN or infinite; JSON carries those as the strings "NaN", "Infinity", "-Infinity". */
export const LooseNumber = z.union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity'])]);
export const Tags = z.record(z.string(), z.string());
export const PageToken = z.string().max(4096).describe('Opaque; empty or absent means the first page.');
export const Limit = (def: number, max: number) => z.coerce.number().int().min(1).max(max).default(def);

/** RFC 9457 problem+json, the shape of every error of the native API. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  detail: z.string(),
  code: z.string().describe('Stable, machine-readable.'),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type Problem = z.infer<typeof Problem>;

export const ColumnSpec = z.object({
  name: z.string(),
  type: z.string().describe('An MLflow column type (double, long, string …) or a tensor datatype (FP32 …).'),
  required: z.boolean().optional(),
  shape: z.array(z.number().int()).optional().describe('-1 for a dimension of any size.'),
});
export type ColumnSpec = z.infer<typeof ColumnSpec>;

/** A model's signature: what MLflow's `MLmodel` declares. */
export const Signature = z.object({ inputs: z.array(ColumnSpec), outputs: z.array(ColumnSpec) });
export type Signature = z.infer<typeof Signature>;

export const TensorSpec = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) });
export type TensorSpec = z.infer<typeof TensorSpec>;
