/** Floats out of JSON text, floats and doubles into it, by WebAssembly (packages/server/wasm/float-text). */
export { floatsFromList } from './read.ts';
export { floatList, floatsToText } from './write.ts';
