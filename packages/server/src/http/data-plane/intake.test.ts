import { expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { MAX_IN_FLIGHT, Share } from './share.ts';

/** What a share has taken, told by what another may still take. */
function left(): number {
  const probe = new Share();
  let [from, to] = [0, MAX_IN_FLIGHT];
  while (from < to) {
    const middle = Math.ceil((from + to) / 2);
    if (probe.take(middle) === undefined) from = middle;
    else to = middle - 1;
    probe.give();
  }
  return from;
}

it('keeps what comes, in one piece, where it was to begin, whatever it has to move', () => {
  const body = Buffer.from(Uint8Array.from({ length: 9_000_001 }, (_, i) => (i * 31) & 0xff));
  for (const [length, step] of [
    [body.length, 65_536],
    [2 ** 16 - 64, 1000],
    [2 ** 16 - 63, 2 ** 16],
    [2 ** 22 - 63, 30_000],
    [1, 1],
  ] as const) {
    const intake = new Intake(length, 24, undefined);
    for (let at = 0; at < length; at += step) expect(intake.add(body, at, Math.min(length, at + step))).toBeUndefined();
    const { bytes, release } = intake.take();
    expect(bytes.equals(body.subarray(0, length))).toBe(true);
    expect(bytes.byteOffset).toBe(24);
    release();
  }
  expect(new Intake(0, 24, undefined).take().bytes).toHaveLength(0);
});

it('takes little room for what has only begun, four times what has come later on, and no more than was announced', () => {
  const [small, share] = [new Share(), new Share()];
  const [begun, intake] = [small, share].map((one) => new Intake(64 * 2 ** 20, 0, one)) as [Intake, Intake];
  expect(left()).toBe(MAX_IN_FLIGHT);
  begun.add(Buffer.alloc(1000));
  expect(left()).toBeGreaterThan(MAX_IN_FLIGHT - 2 ** 16);
  begun.drop();
  small.give();
  const part = Buffer.alloc(2 ** 22);
  for (let sent = 1; sent <= 16; sent++) {
    intake.add(part);
    const held = MAX_IN_FLIGHT - left();
    expect(held).toBeGreaterThanOrEqual(sent * part.length);
    expect(held).toBeLessThanOrEqual(Math.min(16, 4 * sent) * part.length);
  }
  intake.drop();
  share.give();
  expect(left()).toBe(MAX_IN_FLIGHT);
});

it('says when there is no room for more', () => {
  const [others, share] = [new Share(), new Share()];
  others.take(MAX_IN_FLIGHT - 2 ** 20);
  const intake = new Intake(64 * 2 ** 20, 0, share);
  expect(intake.add(Buffer.alloc(1000))).toBeUndefined();
  expect(intake.add(Buffer.alloc(2 ** 20))).toMatchObject({ code: 'bodies_full' });
  intake.drop();
  for (const one of [others, share]) one.give();
});
