/**
 * Where everything lies in the module's one memory, in bytes; it never grows. The tables are filled by the JavaScript side
 * (src/serving/float-text/tables.ts).
 */

/** Powers of ten as doubles, 10^-300 to 10^300. */
export const POWERS: usize = 0;
/** Powers of ten as whole numbers, 10^0 to 10^18. */
export const WHOLE: usize = 0x1600;
/** 2^63 / 10^n: a number below it has room for n more digits, n from 0 to 18. */
export const ROOM: usize = 0x1700;
/** 16 bytes that choose nothing, then 0 to 15: from byte n on it moves n bytes of a vector to its end. */
export const SHIFTS: usize = 0x17a0;
/** Where digits, point and zeros go in a text, 16 bytes for each place of the point, from five zeros after it to nine digits before it. */
export const FORMS: usize = 0x1800;
/** Of each level of a nested list its length (the lowest 32 bits; 0: not known yet) and the items so far (the highest). */
export const LEVELS: usize = 0x1900;
/** Vectors that keep the values of their last n digits, n from 0 to 16. */
export const LAST: usize = 0x1a00;
/** Vectors of one value: a load from memory is cheaper than to make them anew for each number. */
export const COMMAS: usize = 0x1b10;
export const BRACKETS: usize = 0x1b20;
export const TO_LOWEST: usize = 0x1b30;
export const NINE: usize = 0x1b40;
export const FIRST_BYTES: usize = 0x1b50;
export const TENS: usize = 0x1b60;
export const HUNDREDS: usize = 0x1b70;
export const MYRIADS: usize = 0x1b80;

/** What writing a float starts from, 16 bytes for each exponent, then again for the powers of two. */
export const STEPS: usize = 0x2000;
/** Added to a number by its highest bit it makes the upper half its count of decimal digits. */
export const COUNTS: usize = 0x1c00;
/** Multiplied with a number of n digits it makes a fraction with 57 bits behind the point. */
export const NINTHS: usize = 0x1d00;
/** '00' to '99'. */
export const PAIRS: usize = 0x1d60;
/** How long a text of so many digits is, 16 bytes for each place of the point. */
export const LENGTHS: usize = 0x1e30;

/** Powers of ten as 128 bits rounded up, 10^-292 to 10^324, each shifted so that its highest bit is set; the higher half comes first. */
export const DOUBLE_SCALES: usize = 0x4000;

/** Text that is read or was written, and behind it zeros: vectors reach beyond the end. */
export const TEXT: usize = 0x8000;
export const TEXT_SIZE: usize = 0x20000;
/** Values that were read or are to be written. */
export const FLOATS: usize = 0x28100;
/** Each value takes two bytes of text at least. */
export const FLOATS_SIZE: usize = 0x40000;

export const ZERO: u32 = 0x30;
