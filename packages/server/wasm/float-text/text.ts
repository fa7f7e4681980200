import { PAIRS, ZERO } from './layout';

export const COMMA: u32 = 44;
export const MINUS: u32 = 45;
export const POINT: u32 = 46;
/** '.0' */
export const DECIMAL: u16 = 0x302e;
/** Eight '0's, or what is to be taken off of eight digits to see their values. */
export const ZEROS: u64 = 0x3030303030303030;

/** Two digits of a number's upper half. */
function pairOf(number: u64): u64 {
  return load<u16>(PAIRS + ((<usize>(number >> 32)) << 1));
}

/** The text of the first eight places of a fraction of 32 bits, the first in the lowest byte: by 100 each two come before the point. */
export function eightPlaces(fraction: u64): u64 {
  const first = (fraction & 0xffffffff) * 100;
  const second = (first & 0xffffffff) * 100;
  const third = (second & 0xffffffff) * 100;
  const fourth = (third & 0xffffffff) * 100;
  return pairOf(first) | (pairOf(second) << 16) | (pairOf(third) << 32) | (pairOf(fourth) << 48);
}

/** How many of the eight characters are zeros at the end. */
export function zerosAtEnd(text: u64): i32 {
  return <i32>(clz<u64>(text ^ ZEROS) >> 3);
}

/** e+38, e-7, e-324 */
export function writeExponent(at: usize, exponent: i32): usize {
  store<u16>(at, exponent < 0 ? 0x2d65 : 0x2b65);
  let size = <u32>abs<i32>(exponent);
  at += 2;
  if (size >= 100) {
    store<u8>(at++, ZERO + size / 100);
    size %= 100;
    store<u8>(at++, ZERO + size / 10);
  } else if (size >= 10) store<u8>(at++, ZERO + size / 10);
  store<u8>(at, ZERO + (size % 10));
  return at + 1;
}

/** NaN or an infinity: null in JSON, which lacks them; as words where decimals are asked for. */
export function writeSpecial(at: usize, nan: bool, negative: bool, decimals: bool): usize {
  if (!decimals) {
    store<u32>(at, 0x6c6c756e);
    return at + 4;
  }
  if (nan) {
    store<u32>(at, 0x4e614e);
    return at + 3;
  }
  if (negative) store<u8>(at++, MINUS);
  store<u64>(at, 0x7974696e69666e49);
  return at + 8;
}
