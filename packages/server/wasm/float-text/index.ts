/**
 * Float32 values out of JSON text and into it, as WebAssembly (AssemblyScript, https://www.assemblyscript.org): 64-bit integers and vectors of 16
 * bytes, which JavaScript lacks. It works on pieces in one small memory. src/serving/float-text/ feeds it and holds the module that
 * scripts/float-text.mjs builds from this.
 */
import { makeTables } from './tables';

export { DOUBLE_SCALES, FLOATS, FLOATS_SIZE, POWERS, STEPS, TEXT, TEXT_SIZE } from './layout';
export { begin, depth, isClosed, lengthAt, position, read } from './read';
export { write } from './write';
export { writeDoubles } from './write-doubles';

makeTables();
