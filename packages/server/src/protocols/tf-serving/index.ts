/** TensorFlow Serving's API. */
export { tfServingGrpc } from './grpc/services.ts';
export { tfServing } from './http.ts';
