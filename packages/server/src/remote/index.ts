/** What every model on a server elsewhere shares, whatever protocol leads there: addresses, secrets, connections, deadlines, health, values on the wire. */
export type { RemoteCall, RemoteClient, RemoteClientFactory, RemoteModelFacts, RemoteTarget } from './client.ts';
export { away, cancelled, faultOf, garbled, timedOut, tooLarge } from './errors.ts';
export { GrpcPeer } from './grpc-peer.ts';
export { protosOf } from './proto-files.ts';
export { guardedLookup } from './hosts.ts';
export { errorText, type HttpCall, HttpPeer, type HttpReply, retryAfterOf } from './http-peer.ts';
export { countOf, type JsonStyle, parseReply, shapeOf, valuesFromJson, valuesToJson } from './json-values.ts';
export { valuesFromRaw, valuesToRaw } from './raw-values.ts';
export { createRemoteRuntime, type RemoteRuntimeOptions } from './runtime.ts';
export { predictionsOf, type WantedOutput } from './scoring-reply.ts';
export { scoringBody } from './scoring-request.ts';
export { openInferenceOutputs, openInferenceRequest } from './open-inference-json.ts';
export { checkDatatype, checkShape, inOrder } from './open-inference-values.ts';
export { parametersOf } from './parameters.ts';
