import { API_PREFIX, type Operation, operations, Problem } from '@binnacle/contract';
import { z } from 'zod';

type Json = Record<string, unknown>;

// Response schemas are documented as the wire carries them (output); requests as a client may send them (input, before defaults).
const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
};

function parameters(op: Operation): Json[] {
  const list: Json[] = [];
  for (const [place, schema] of [
    ['path', op.params],
    ['query', op.query],
  ] as const) {
    if (schema === undefined) continue;
    const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
    for (const [name, property] of Object.entries(properties))
      list.push({ name, in: place, required: place === 'path' || required.includes(name), schema: property });
  }
  return list;
}

/** The OpenAPI 3.1 document of the native API, made from the contract that also validates requests and types the SDK. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [operationId, op] of Object.entries(operations) as [string, Operation][]) {
    const entry: Json = {
      operationId,
      summary: op.summary,
      tags: [op.tag],
      parameters: parameters(op),
      responses: {
        '200':
          op.rawResponse === true
            ? { description: 'The bytes.', content: { 'application/octet-stream': {} } }
            : { description: 'Done.', content: { 'application/json': { schema: schemaOf(op.response, 'output') } } },
        default: { description: 'An error.', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } },
      },
    };
    if (op.body !== undefined) entry.requestBody = { required: true, content: { 'application/json': { schema: schemaOf(op.body, 'input') } } };
    if (op.rawBody === true) entry.requestBody = { required: true, content: { 'application/octet-stream': {} } };
    const path = API_PREFIX + op.path;
    paths[path] = { ...paths[path], [op.method.toLowerCase()]: entry };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Binnacle', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: { schemas: { Problem: schemaOf(Problem, 'output') }, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    security: [{}, { token: [] }],
  };
}
