import { COUNTS, FLOATS, FORMS, LENGTHS, NINTHS, STEPS, TEXT, WHOLE, ZERO } from './layout';
import { COMMA, DECIMAL, MINUS, eightPlaces, writeExponent, writeSpecial, zerosAtEnd } from './text';

/** Digits of a value that is written, its first in the lowest bits, and '.' and '0' behind them. */
const BEHIND_DIGITS: u64 = 0x302e00;

/** The highest 32 of a product's 96 bits; its last bit tells whether the others hold more. */
function productOf(scale: u64, value: u32): u32 {
  const low = (scale & 0xffffffff) * value;
  const high = (scale >> 32) * value + (low >> 32);
  return <u32>(high >> 32) | u32(<u32>high > 1);
}

/**
 * The shortest number that reads back as the value of these bits (finite, no zero), and the nearest of those: Giulietti's Schubfach
 * (The Schubfach way to render doubles, 2020). Its digits in the lower half, the power of ten in the upper one. Nothing here branches on the value:
 * which way random values go cannot be foreseen.
 */
function shorten(bits: u32): u64 {
  const exponent = bits >> 23;
  const fraction = bits & 0x7fffff;
  const value = fraction | (u32(exponent != 0) << 23);
  // The neighbour below a power of two is half as far away.
  const closer = u32(fraction == 0) & u32(exponent > 1);
  const odd = value & 1;
  const step = STEPS + ((<usize>(exponent | (closer << 8))) << 4);
  const scale = load<u64>(step);
  const power = load<u32>(step, 8);
  const shift = load<u32>(step, 12);
  const below: u32 = productOf(scale, (4 * value - 2 + closer) << shift) + odd;
  const whole: u32 = productOf(scale, (4 * value) << shift);
  const above: u32 = productOf(scale, (4 * value + 2) << shift) - odd;
  const number: u32 = whole >> 2;
  const tenth: u32 = number / 10;
  const tens: u32 = tenth * 40;
  const overTens: u32 = u32(tens + 40 <= above);
  const shorter = u32(u32(below <= tens) != overTens) & u32(number >= 10);
  const units: u32 = number << 2;
  const overUnits: u32 = u32(units + 4 <= above);
  const nearer: u32 = u32(whole + (number & 1) > units + 2);
  const up = select<u32>(overUnits, nearer, u32(below <= units) != overUnits);
  return <u64>select<u32>(tenth + overTens, number + up, shorter) | ((<u64>(power + shorter)) << 32);
}

/** Of a number's decimal digits; zero has one. */
function countOf(number: u32): i32 {
  return <i32>((<u64>number + load<u64>(COUNTS + ((<usize>(31 - clz<u32>(number | 1))) << 3))) >> 32);
}

/**
 * The only float of which the shortest text, 7.038531e-26, stands for its neighbour to those who read a double first (found by trying all).
 */
const TWICE_ROUNDED: u32 = 0x15ae43fd;
const TWICE_ROUNDED_NUMBER: u64 = 70385307 | ((<u64>(<u32>-33)) << 32);

/** A whole number below 2^53. */
function writeWhole(at: usize, value: u64): usize {
  let count = 0;
  while (value >= load<u64>(WHOLE + ((<usize>count) << 3))) count++;
  for (let i = count - 1; i >= 0; i--) {
    store<u8>(at + <usize>i, ZERO + <u32>(value % 10));
    value /= 10;
  }
  return at + count;
}

/**
 * Writes the first `count` floats, each with a comma behind it. With `decimals` whole numbers have a `.0`, zero its sign, and NaN and infinities are
 * words; without them they are null. Returns the text's length.
 */
export function write(count: i32, decimals: bool): i32 {
  let at: usize = TEXT;
  const end = FLOATS + ((<usize>count) << 2);
  for (let from: usize = FLOATS; from < end; from += 4) {
    const all = load<u32>(from);
    const bits = all & 0x7fffffff;
    if (bits >= 0x7f800000) {
      at = writeSpecial(at, bits > 0x7f800000, bits != all, decimals);
      store<u8>(at++, COMMA);
      continue;
    }
    store<u8>(at, MINUS);
    at += usize(all > 0x80000000 - u32(decimals));
    // Whole numbers below 2^53 are written as what they are, not as what is near enough.
    const value = reinterpret<f32>(bits);
    let number: u64;
    let whole = false;
    if (value < 9007199254740992 && value == floor<f32>(value)) {
      number = <u64>value;
      whole = decimals;
      if (value >= 1e9) {
        at = writeWhole(at, number);
        if (whole) {
          store<u16>(at, DECIMAL);
          at += 2;
        }
        store<u8>(at++, COMMA);
        continue;
      }
    } else number = bits == TWICE_ROUNDED ? TWICE_ROUNDED_NUMBER : shorten(bits);
    const digits = <u32>number;
    // Nine digits, zeros at the end.
    const length = countOf(digits);
    const nine = (<u64>digits * load<u64>(NINTHS + ((<usize>length) << 3))) >> 25;
    const text = eightPlaces(nine);
    const significant = 9 - zerosAtEnd(text);
    const vector = i64x2.replace_lane(i64x2.splat((text << 8) | (ZERO + (nine >> 32))), 1, (text >> 56) | BEHIND_DIGITS);
    // Digits before the point; from none down zeros stand behind it.
    const point = length + <i32>(number >> 32);
    if (point >= -5 && point <= 9) {
      const form = (<usize>(point + 5)) << 4;
      v128.store(at, v128.swizzle(vector, v128.load(FORMS + form)));
      at += load<u8>(LENGTHS + form + significant);
      if (whole) {
        store<u16>(at, DECIMAL);
        at += 2;
      }
    } else {
      v128.store(at, v128.swizzle(vector, v128.load(FORMS + (6 << 4))));
      at = writeExponent(at + select<usize>(<usize>significant + 1, 1, significant > 1), point - 1);
    }
    store<u8>(at++, COMMA);
  }
  return <i32>(at - TEXT);
}
