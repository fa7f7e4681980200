import {
  BRACKETS,
  COMMAS,
  FIRST_BYTES,
  FLOATS,
  HUNDREDS,
  LAST,
  LEVELS,
  MYRIADS,
  NINE,
  POWERS,
  ROOM,
  SHIFTS,
  TENS,
  TEXT,
  TO_LOWEST,
  WHOLE,
  ZERO,
} from './layout';

/** The double that a text stands for: asked for where the digits do not decide the nearest float beyond doubt. */
declare function exact(from: usize, to: usize): f64;

const TAB: u32 = 9;
const LINE_FEED: u32 = 10;
const RETURN: u32 = 13;
const SPACE: u32 = 32;
const PLUS: u32 = 43;
const COMMA: u32 = 44;
const MINUS: u32 = 45;
const POINT: u32 = 46;
const OPEN: u32 = 91;
const CLOSE: u32 = 93;
const LOWER_E: u32 = 101;

const MOST_LEVELS: i32 = 16;
/** A number that reaches to the end of a piece may go on in the next; a longer one is refused. */
const LONGEST: usize = 1024;

/** What a number's value as computed and as the nearest double are apart at most, to either side: rounding errors of four units in the last place, or less. */
const UP: f64 = 1 + 2.0 ** -50;
const DOWN: f64 = 1 - 2.0 ** -50;
const MOST_POWER: i32 = 300;
/** Numbers keep 18 digits at least: the others are within the error above. */
const ENOUGH: u64 = 100_000_000_000_000_000;

/** The lists that are open, how deep the numbers lie (0: not known yet), whether a value is due (else a comma or a bracket), and whether the list is closed. */
let level: i32 = 0;
let rank: i32 = 0;
let due: bool = true;
let closed: bool = false;
/** Where the next piece has to start. */
let stopped: usize = 0;

/** The next piece is the first of a list. */
export function begin(): void {
  level = 0;
  rank = 0;
  due = true;
  closed = false;
  for (let i = 0; i <= MOST_LEVELS; i++) store<u64>(LEVELS + ((<usize>i) << 3), 0);
}

export function isClosed(): bool {
  return closed;
}

/** How deep the list is nested: 1 when it is flat. */
export function depth(): i32 {
  return rank;
}

/** How many values or lists each list of a level holds, once one has been closed. */
export function lengthAt(level: i32): u32 {
  return load<u32>(LEVELS + ((<usize>level) << 3));
}

export function position(): usize {
  return stopped;
}

function isSpace(byte: u32): bool {
  return byte == SPACE || byte == LINE_FEED || byte == RETURN || byte == TAB;
}

function isDigit(byte: u32): bool {
  return byte - ZERO < 10;
}

/** Sixteen characters less '0'. */
function digitsAt(at: usize): v128 {
  return i8x16.sub(v128.load(at), i8x16.splat(<i8>ZERO));
}

/** How many digits a vector begins with. */
function countDigits(digits: v128): i32 {
  return i32(ctz<u32>(<u32>i8x16.bitmask(i8x16.gt_u(digits, i8x16.splat(9))) | 0x10000));
}

/** The first `count` digits of a vector as a number: neighbours are put together, then pairs, then fours. */
function valueOf(digits: v128, count: i32): u64 {
  const moved = v128.swizzle(digits, v128.load(SHIFTS + <usize>count));
  const pairs = i16x8.add(i16x8.mul(v128.and(moved, i16x8.splat(0xff)), i16x8.splat(10)), i16x8.shr_u(moved, 8));
  const fours = i32x4.dot_i16x8_s(pairs, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), i16x8(10_000, 1, 10_000, 1, 10_000, 1, 10_000, 1));
  const both = <u64>i64x2.extract_lane(eights, 0);
  return (both & 0xffffffff) * 100_000_000 + (both >> 32);
}

/** The same for up to seven digits in eight characters. */
function countInWord(word: u64): i32 {
  const digits = word ^ 0x3030303030303030;
  return <i32>(ctz<u64>(((digits + 0x7676767676767676) | digits) & 0x8080808080808080) >> 3);
}

function valueOfWord(word: u64, count: i32): u64 {
  // Two shifts: one of 64 bits would be one of none.
  const moved = ((word ^ 0x3030303030303030) << ((7 - count) << 3)) << 8;
  const pairs = moved * 10 + (moved >> 8);
  return ((pairs & 0x000000ff000000ff) * 0x000f424000000064 + ((pairs >> 16) & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/** Stores digits × 10^power, which is a whole number below 2^63 and right to 18 digits. False when it does not decide the nearest float. */
function storeValue(out: usize, digits: u64, power: i32, negative: u32): bool {
  if (<u32>(power + MOST_POWER) > <u32>(2 * MOST_POWER)) return false;
  const value = <f64>(<i64>digits) * load<f64>(POWERS + ((<usize>(power + MOST_POWER)) << 3));
  const above = <f32>(value * UP);
  if (above != <f32>(value * DOWN)) return false;
  store<u32>(out, reinterpret<u32>(above) | (negative << 31));
  return true;
}

/** The sixteen bytes that are no digits, a bit each. */
function otherThanDigits(bytes: v128): u32 {
  return <u32>i8x16.bitmask(i8x16.gt_s(i8x16.add(bytes, v128.load(TO_LOWEST)), v128.load(NINE)));
}

/** The sixteen bytes that end a value in a list without spaces, a bit each. */
function ends(bytes: v128): u32 {
  return <u32>i8x16.bitmask(v128.or(i8x16.eq(bytes, v128.load(COMMAS)), i8x16.eq(bytes, v128.load(BRACKETS))));
}

/** The last `count` digits before `end` as a number, at most 16. */
function lastDigits(end: usize, count: i32): u64 {
  const digits = v128.and(v128.load(end - 16), v128.load(LAST + ((<usize>count) << 4)));
  const pairs = i16x8.add(i16x8.mul(v128.and(digits, v128.load(FIRST_BYTES)), v128.load(TENS)), i16x8.shr_u(digits, 8));
  const fours = i32x4.dot_i16x8_s(pairs, v128.load(HUNDREDS));
  const eights = i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), v128.load(MYRIADS));
  const both = <u64>i64x2.extract_lane(eights, 0);
  return (both & 0xffffffff) * 100_000_000 + (both >> 32);
}

/** Stores digits / 10^places as `storeValue` does, places being few. */
function storePlaces(out: usize, digits: u64, places: i32, negative: u32): bool {
  const value = <f64>(<i64>digits) * load<f64>(POWERS + ((<usize>(MOST_POWER - places)) << 3));
  const above = <f32>(value * UP);
  store<u32>(out, reinterpret<u32>(above) | (negative << 31));
  return above == <f32>(value * DOWN);
}

/**
 * Reads a number without an exponent of which the end is known, and which of its characters are no digits. False when it is none, or has very many digits.
 * All that the next number has to wait for is where this one ends: so the processor reads several at a time.
 */
function readPlain(at: usize, length: i32, others: u32, out: usize): bool {
  const negative = u32(<u32>load<u8>(at) == MINUS);
  const head = load<u32>(at + negative);
  const rest = others ^ negative;
  if (rest == <u32>(2 << negative) && (head & 0xff00) == POINT << 8) {
    // One digit before the point, up to 18 behind it: the last 16, and what is before them.
    const places = length - 2 - <i32>negative;
    const number = head & 15;
    if (<u32>(places - 1) >= 17 + u32(number == 0)) return false;
    const far = places - 16;
    const one = number * 10 + ((head >> 16) & 15);
    const two = one * 10 + ((head >> 24) & 15);
    const before = select<u32>(number, select<u32>(one, two, far == 1), far <= 0);
    const low = select<i32>(16, places, far > 0);
    return storePlaces(out, <u64>before * load<u64>(WHOLE + ((<usize>low) << 3)) + lastDigits(at + length, low), places, negative);
  }
  const point = rest == 0 ? length : <i32>ctz<u32>(rest);
  const whole = point - <i32>negative;
  // No digit, or a zero before others.
  if (<u32>(whole - 1) > 15 || ((head & 0xff) == ZERO && whole > 1)) return false;
  const number = lastDigits(at + point, whole);
  if (rest == 0) {
    store<u32>(out, reinterpret<u32>(<f32>(<f64>(<i64>number))) | (negative << 31));
    return true;
  }
  const places = length - point - 1;
  if ((rest & (rest - 1)) != 0 || <u32>load<u8>(at + point) != POINT || places == 0 || whole + places > 18 || places > 16) return false;
  return storePlaces(out, number * load<u64>(WHOLE + ((<usize>places) << 3)) + lastDigits(at + length, places), places, negative);
}

/** Reads a number of the usual forms. Returns where it ends; 0 when it is another, or none. */
function readUsual(from: usize, out: usize): usize {
  let at = from;
  const negative = u32(<u32>load<u8>(at) == MINUS);
  at += negative;
  let number = <u64>load<u8>(at) - ZERO;
  if (number > 9) return 0;
  let byte = <u32>load<u8>(++at);
  if (isDigit(byte)) {
    if (number == 0) return 0;
    const digits = digitsAt(at);
    const count = countDigits(digits);
    if (count == 16) return 0;
    number = number * load<u64>(WHOLE + ((<usize>count) << 3)) + valueOf(digits, count);
    at += count;
    byte = load<u8>(at);
  }
  let power: i32 = 0;
  if (byte == POINT) {
    at++;
    const digits = digitsAt(at);
    const count = countDigits(digits);
    if (count == 0 || number >= load<u64>(ROOM + ((<usize>count) << 3))) return 0;
    number = number * load<u64>(WHOLE + ((<usize>count) << 3)) + valueOf(digits, count);
    at += count;
    const word = load<u64>(at);
    const more = select<i32>(countInWord(word), 0, count == 16);
    if (more == 8 || number >= load<u64>(ROOM + ((<usize>more) << 3))) return 0;
    number = number * load<u64>(WHOLE + ((<usize>more) << 3)) + valueOfWord(word, more);
    at += more;
    power = -count - more;
    byte = load<u8>(at);
  }
  if ((byte | 0x20) == LOWER_E) {
    byte = load<u8>(++at);
    const down = byte == MINUS;
    if (down || byte == PLUS) byte = load<u8>(++at);
    if (!isDigit(byte)) return 0;
    let exponent: i32 = byte - ZERO;
    byte = load<u8>(++at);
    if (isDigit(byte)) {
      exponent = exponent * 10 + (byte - ZERO);
      at++;
      if (isDigit(load<u8>(at))) return 0;
    }
    power += down ? -exponent : exponent;
  }
  return storeValue(out, number, power, negative) ? at : 0;
}

/** Reads any number of JSON's grammar, spaces before it included. Returns where it ends; 0 when there is none. */
function readAny(from: usize, out: usize): usize {
  let at = from;
  while (isSpace(load<u8>(at))) at++;
  const start = at;
  const negative = u32(<u32>load<u8>(at) == MINUS);
  at += negative;
  if (!isDigit(load<u8>(at))) return 0;
  if (load<u8>(at) == ZERO && isDigit(load<u8>(at + 1))) return 0;
  let number: u64 = 0;
  let power: i32 = 0;
  for (let byte: u32 = load<u8>(at); isDigit(byte); byte = load<u8>(++at)) {
    if (number < ENOUGH) number = number * 10 + (byte - ZERO);
    else power++;
  }
  if (<u32>load<u8>(at) == POINT) {
    if (!isDigit(load<u8>(++at))) return 0;
    for (let byte: u32 = load<u8>(at); isDigit(byte); byte = load<u8>(++at)) {
      if (number >= ENOUGH) continue;
      number = number * 10 + (byte - ZERO);
      power--;
    }
  }
  if ((<u32>load<u8>(at) | 0x20) == LOWER_E) {
    let byte: u32 = load<u8>(++at);
    const down = byte == MINUS;
    if (down || byte == PLUS) byte = load<u8>(++at);
    if (!isDigit(byte)) return 0;
    let exponent: i32 = 0;
    for (; isDigit(byte); byte = load<u8>(++at)) if (exponent < 100_000) exponent = exponent * 10 + (byte - ZERO);
    power += down ? -exponent : exponent;
  }
  if (!storeValue(out, number, power, negative)) store<f32>(out, <f32>exact(start, at));
  return at;
}

/** Stops where the next piece has to start. */
function stop(at: usize, out: usize): i32 {
  stopped = at;
  return <i32>((out - FLOATS) >> 2);
}

/**
 * Reads on in a list, from a piece of its text that ends before `end`. Returns how many values it read: `position` says where the next piece has to start,
 * `isClosed` whether the list is at its end. -1 when this is no list of numbers, or of lists of equal lengths.
 */
export function read(end: usize): i32 {
  let at: usize = TEXT;
  let out: usize = FLOATS;
  v128.store(end, i64x2.splat(0));
  v128.store(end, i64x2.splat(0), 16);
  while (true) {
    while (isSpace(load<u8>(at))) at++;
    if (at >= end) return stop(end, out);
    const byte: u32 = load<u8>(at);
    if (due) {
      if (byte == OPEN) {
        if (level == MOST_LEVELS || (rank != 0 && level == rank)) return -1;
        level++;
        at++;
        continue;
      }
      if (rank == 0) rank = level;
      if (level == 0 || level != rank) return -1;
      let items: u32 = 0;
      while (true) {
        const left = v128.load(at);
        const right = v128.load(at, 16);
        const length = <i32>ctz<u32>(ends(left) | (ends(right) << 16));
        const others = (otherThanDigits(left) | (otherThanDigits(right) << 16)) & (0xffffffff >> (32 - length));
        let next = at + length;
        if (length == 32 || !readPlain(at, length, others, out)) {
          const end = readUsual(at, out);
          if (end != next) next = end == 0 ? readAny(at, out) : end;
        }
        if (next == 0 || next >= end) {
          // Cut off, perhaps.
          if (at == TEXT || end - at > LONGEST) return -1;
          break;
        }
        out += 4;
        items++;
        at = next;
        if (<u32>load<u8>(at) != COMMA) {
          due = false;
          break;
        }
        at++;
        // One comparison where there is no space.
        if (<u32>load<u8>(at) <= SPACE) while (isSpace(load<u8>(at))) at++;
      }
      const counts = LEVELS + ((<usize>level) << 3);
      store<u32>(counts, load<u32>(counts, 4) + items, 4);
      if (due) return stop(at, out);
    } else if (byte == COMMA) {
      due = true;
      at++;
    } else if (byte == CLOSE) {
      const counts = LEVELS + ((<usize>level) << 3);
      const items = load<u32>(counts, 4);
      const length = load<u32>(counts);
      if (length != 0 && length != items) return -1;
      store<u64>(counts, items);
      at++;
      if (--level == 0) {
        closed = true;
        return stop(at, out);
      }
      const above = LEVELS + ((<usize>level) << 3);
      store<u32>(above, load<u32>(above, 4) + 1, 4);
    } else return -1;
  }
}
