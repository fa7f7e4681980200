/** How a protocol offers services over gRPC: the face by which it enters this transport, which knows none of them. */
export type { BidiMethod, GrpcCall, GrpcMethod, GrpcService, GrpcStreamCall, ServerStreamMethod, StreamHandler, UnaryMethod } from './method.ts';
export { type Handlers, loadProtos, serviceMethods } from './protos.ts';
