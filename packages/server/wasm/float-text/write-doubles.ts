import { DOUBLE_SCALES, FLOATS, NINTHS, TEXT, WHOLE, ZERO } from './layout';
import { COMMA, DECIMAL, MINUS, POINT, ZEROS, eightPlaces, writeExponent, writeSpecial, zerosAtEnd } from './text';

const INFINITE: u64 = 0x7ff0000000000000;
const NEGATIVE: u64 = 0x8000000000000000;

/** The product's highest 64 bits. */
function highOf(a: u64, b: u64): u64 {
  const low = (a & 0xffffffff) * (b & 0xffffffff);
  const left = (a >> 32) * (b & 0xffffffff) + (low >> 32);
  const right = (a & 0xffffffff) * (b >> 32) + (left & 0xffffffff);
  return (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
}

/** The highest 64 of a product's 192 bits; its last bit tells whether the others hold more. */
function productOf(high: u64, low: u64, value: u64): u64 {
  const more = highOf(low, value);
  const middle = high * value + more;
  return (highOf(high, value) + u64(middle < more)) | u64(middle > 1);
}

/** A double's shortest digits (see `shorten` in write.ts) and their power of ten. */
let digits: u64 = 0;
let power: i32 = 0;

function shorten(bits: u64): void {
  const exponent = <i32>(bits >> 52);
  const fraction = bits & 0xfffffffffffff;
  const value = fraction | (u64(exponent != 0) << 52);
  const q = max<i32>(exponent, 1) - 1075;
  const closer = u64(fraction == 0) & u64(exponent > 1);
  const odd = value & 1;
  const k = (q * 1262611 - <i32>closer * 524031) >> 22;
  const shift = <u64>(q + ((-k * 1741647) >> 19) + 1);
  const scale = DOUBLE_SCALES + ((<usize>(292 - k)) << 4);
  const high = load<u64>(scale);
  const low = load<u64>(scale, 8);
  const below = productOf(high, low, (4 * value - 2 + closer) << shift) + odd;
  const whole = productOf(high, low, (4 * value) << shift);
  const above = productOf(high, low, (4 * value + 2) << shift) - odd;
  const number = whole >> 2;
  const tenth = number / 10;
  const tens = tenth * 40;
  const overTens = u64(tens + 40 <= above);
  const shorter = u64(u64(below <= tens) != overTens) & u64(number >= 10);
  const units = number << 2;
  const overUnits = u64(units + 4 <= above);
  const nearer = u64(whole + (number & 1) > units + 2);
  const up = select<u64>(overUnits, nearer, u64(below <= units) != overUnits);
  digits = select<u64>(tenth + overTens, number + up, shorter != 0);
  power = k + <i32>shorter;
}

function countOf(number: u64): i32 {
  const guess = ((64 - <i32>clz<u64>(number | 1)) * 1233) >> 12;
  return guess + i32((number | 1) >= load<u64>(WHOLE + ((<usize>guess) << 3)));
}

/** Writes the first `count` doubles as `write` does floats, in the digits and forms of JavaScript's String. */
export function writeDoubles(count: i32, decimals: bool): i32 {
  let at: usize = TEXT;
  const end = FLOATS + ((<usize>count) << 3);
  for (let from: usize = FLOATS; from < end; from += 8) {
    const all = load<u64>(from);
    const bits = all & ~NEGATIVE;
    if (bits >= INFINITE) {
      at = writeSpecial(at, bits > INFINITE, bits != all, decimals);
      store<u8>(at++, COMMA);
      continue;
    }
    store<u8>(at, MINUS);
    at += usize(all > NEGATIVE - u64(decimals));
    const value = reinterpret<f64>(bits);
    if (value < 9007199254740992 && value == floor<f64>(value)) {
      digits = <u64>value;
      power = 0;
    } else shorten(bits);
    // Seventeen digits, zeros at the end: one, eight and eight.
    const length = countOf(digits);
    const all17 = digits * load<u64>(WHOLE + ((<usize>(17 - length)) << 3));
    const nine = all17 / 100_000_000;
    const head = (nine * load<u64>(NINTHS + (9 << 3))) >> 25;
    const first = ZERO + (head >> 32);
    const middle = eightPlaces(head);
    // A one before them keeps the eight exact.
    const last = eightPlaces(((100_000_000 + all17 - nine * 100_000_000) * load<u64>(NINTHS + (9 << 3))) >> 25);
    const significant = last == ZEROS ? 9 - zerosAtEnd(middle) : 17 - zerosAtEnd(last);
    const point = length + power;
    if (point > 0 && point <= 21) {
      const whole = significant <= point;
      const shifted = at + usize(!whole);
      store<u8>(shifted, first);
      store<u64>(shifted, middle, 1);
      store<u64>(shifted, last, 9);
      if (whole) {
        store<u64>(at, ZEROS, 17);
        at += point;
        if (decimals) {
          store<u16>(at, DECIMAL);
          at += 2;
        }
      } else {
        for (let i = 0; i < point; i++) store<u8>(at + <usize>i, load<u8>(at + <usize>i, 1));
        store<u8>(at + point, POINT);
        at += significant + 1;
      }
    } else if (point <= 0 && point >= -5) {
      store<u64>(at, (ZEROS & ~(<u64>0xff00)) | (POINT << 8));
      at += 2 - point;
      store<u8>(at, first);
      store<u64>(at, middle, 1);
      store<u64>(at, last, 9);
      at += significant;
    } else {
      store<u8>(at, first);
      store<u8>(at, POINT, 1);
      store<u64>(at, middle, 2);
      store<u64>(at, last, 10);
      const size = significant > 1 ? significant + 1 : 1;
      at = writeExponent(at + size, point - 1);
    }
    store<u8>(at++, COMMA);
  }
  return <i32>(at - TEXT);
}
