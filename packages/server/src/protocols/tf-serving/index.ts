/** TensorFlow Serving's API. */
export { tfServing, type TfServingOptions } from './http.ts';
