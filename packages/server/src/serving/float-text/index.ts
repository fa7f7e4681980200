/** Floats out of JSON text, floats and doubles into it, by WebAssembly (packages/server/wasm/float-text). */
export { cutLists, LargeList, markOf, namedLists } from './large-lists.ts';
export { floatList, floatsToText } from './write.ts';
