import { COUNTS, FLOATS, FORMS, LENGTHS, NINTHS, STEPS, TEXT, WHOLE, ZERO } from './layout';
import { COMMA, DECIMAL, MINUS, eightPlaces, writeExponent, writeSpecial, zerosAtEnd } from './text';

/** Digits of a value that is written, its first in the lowest bits, and '.' and '0' behind them. */
const BEHIND_DIGITS: u64 = 0x302e00;

/** A place of the product below: 34 bits are behind its point. */
const ONE: u64 = 1 << 34;

/** The highest 64 of a product's 96 bits. */
function productOf(scale: u64, value: u64): u64 {
  return (scale >> 32) * value + (((scale & 0xffffffff) * value) >> 32);
}

/**
 * The shortest number that reads back as a float of this exponent and these digits (as a whole number), and the nearest of those: Giulietti's Schubfach
 * (The Schubfach way to render doubles, 2020). Its digits in the lower half, the power of ten in the upper one. Nothing here branches on the value:
 * which way random values go cannot be foreseen. Where `closer` is 1 the neighbour below is half as far away.
 */
function shorten(exponent: u32, value: u32, closer: u32): u64 {
  const step = STEPS + ((<usize>(exponent | (closer << 8))) << 4);
  const scale = load<u64>(step);
  const half = <u64>load<u32>(step, 12);
  const middle = <u64>value * half * 2;
  const whole = productOf(scale, middle);
  // Scales are rounded up, by less than a unit here: of even values the bounds themselves read back as the value, of odd ones they do not.
  const odd = <u64>((value & 1) << 1);
  const below = productOf(scale, middle - (half >> closer)) - 1 + odd;
  const above = productOf(scale, middle + half) - odd;
  const number = <u32>(whole >> 34);
  const tenth: u32 = number / 10;
  const tens = (<u64>(tenth * 10)) << 34;
  const overTens = u32(tens + 10 * ONE <= above);
  const shorter = u32(u32(below <= tens) != overTens);
  const units = (<u64>number) << 34;
  const overUnits = u32(units + ONE <= above);
  const nearer = u32(whole + ((<u64>(number & 1)) << 1) > units + ONE / 2 + 1);
  const up = select<u32>(overUnits, nearer, u32(below <= units) != overUnits);
  return <u64>select<u32>(tenth + overTens, number + up, shorter) | ((<u64>(load<u32>(step, 8) + shorter)) << 32);
}

/**
 * The only float of which the shortest text, 7.038531e-26, stands for its neighbour to those who read a double first (found by trying all).
 */
const TWICE_ROUNDED: u32 = 0x15ae43fd;
const TWICE_ROUNDED_NUMBER: u64 = 70385307 | ((<u64>(<u32>-33)) << 32);

/** What is seldom: subnormal values, powers of two, and the one float that is not its shortest text's. */
function shortenOdd(bits: u32): u64 {
  if (bits == TWICE_ROUNDED) return TWICE_ROUNDED_NUMBER;
  const exponent = bits >> 23;
  const fraction = bits & 0x7fffff;
  return exponent == 0 ? shorten(0, fraction, 0) : shorten(exponent, fraction | 0x800000, u32(fraction == 0) & u32(exponent > 1));
}

/** Of a number's decimal digits; zero has one. */
function countOf(number: u32): i32 {
  return <i32>((<u64>number + load<u64>(COUNTS + ((<usize>(31 - clz<u32>(number | 1))) << 3))) >> 32);
}

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
  // Zero's sign is among the decimals.
  const least: u32 = 0x80000000 - u32(decimals);
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
    at += usize(all > least);
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
    } else {
      const exponent = bits >> 23;
      const fraction = bits & 0x7fffff;
      number = fraction == 0 || exponent == 0 || bits == TWICE_ROUNDED ? shortenOdd(bits) : shorten(exponent, fraction | 0x800000, 0);
    }
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
