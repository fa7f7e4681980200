import {
  BRACKETS,
  COMMAS,
  COUNTS,
  FIRST_BYTES,
  FORMS,
  HUNDREDS,
  LAST,
  LENGTHS,
  MYRIADS,
  NINE,
  NINTHS,
  PAIRS,
  ROOM,
  SHIFTS,
  TENS,
  TO_LOWEST,
  WHOLE,
  ZERO,
} from './layout';

/** Where '.' and '0' stand behind nine digits. */
const POINT_AT: u8 = 9;
const ZERO_AT: u8 = 10;

export function makeTables(): void {
  let power: u64 = 1;
  for (let n: usize = 0; n <= 18; n++) {
    store<u64>(WHOLE + (n << 3), power);
    store<u64>(ROOM + (n << 3), 0x8000000000000000 / power);
    power *= 10;
  }
  for (let n: usize = 0; n < 16; n++) {
    store<u8>(SHIFTS + n, 0xff);
    store<u8>(SHIFTS + 16 + n, <u8>n);
  }
  for (let kept: usize = 0; kept <= 16; kept++) for (let n: usize = 16 - kept; n < 16; n++) store<u8>(LAST + (kept << 4) + n, 15);
  for (let point = -5; point <= 9; point++) {
    const form = (<usize>(point + 5)) << 4;
    makeForm(FORMS + form, point);
    for (let digits = 1; digits <= 9; digits++) store<u8>(LENGTHS + form + digits, <u8>(point <= 0 ? 2 - point + digits : digits > point ? digits + 1 : point));
  }
  for (let i: usize = 0; i < 100; i++) {
    store<u8>(PAIRS + (i << 1), <u8>(ZERO + <u32>i / 10));
    store<u8>(PAIRS + (i << 1) + 1, <u8>(ZERO + (<u32>i % 10)));
  }
  // A little above 2^57 / 10^8: what nine digits are more for it is below half of a unit.
  for (let n: usize = 1; n <= 9; n++) store<u64>(NINTHS + (n << 3), 1441151882 * load<u64>(WHOLE + ((9 - n) << 3)));
  let digits: u64 = 1;
  for (let bit: usize = 0; bit < 32; bit++) {
    const more = load<u64>(WHOLE + ((<usize>digits) << 3));
    const crosses = more < (<u64>2) << bit;
    store<u64>(COUNTS + (bit << 3), crosses ? ((digits + 1) << 32) - more : digits << 32);
    if (crosses) digits++;
  }
  v128.store(COMMAS, i8x16.splat(44));
  v128.store(BRACKETS, i8x16.splat(93));
  v128.store(TO_LOWEST, i8x16.splat(0x50));
  v128.store(NINE, i8x16.splat(-119));
  v128.store(FIRST_BYTES, i16x8.splat(0xff));
  v128.store(TENS, i16x8.splat(10));
  v128.store(HUNDREDS, i32x4.splat(100 | (1 << 16)));
  v128.store(MYRIADS, i32x4.splat(10_000 | (1 << 16)));
}

/** 0.000ddd or ddd.ddd */
function makeForm(form: usize, point: i32): void {
  let at = form;
  if (point <= 0) {
    store<u8>(at++, ZERO_AT);
    store<u8>(at++, POINT_AT);
    for (let zeros = point; zeros < 0; zeros++) store<u8>(at++, ZERO_AT);
  }
  for (let digit = 0; digit < 9; digit++) {
    if (digit == point && point > 0) store<u8>(at++, POINT_AT);
    store<u8>(at++, <u8>digit);
  }
}
