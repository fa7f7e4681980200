/** Float32 values out of JSON text and into it, by WebAssembly (packages/server/wasm/float-text). */
export { floatsFromList } from './read.ts';
export { floatsToText } from './write.ts';
