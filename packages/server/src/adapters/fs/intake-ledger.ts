import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { newId } from '../../kernel/index.ts';
import type { IntakeLedger } from '../../monitoring/intake-ledger.port.ts';

/** A slot: two bytes for the length of the endpoint's name, up to 500 for the name, at 504 the count as a double. Slot 0 holds the session. */
const SLOT = 512;
const COUNT_AT = 504;
const MAX_NAME = 500;

function read(file: string): IntakeLedger['previous'] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return null;
  }
  const nameAt = (slot: number): string => bytes.toString('utf8', slot * SLOT + 2, slot * SLOT + 2 + bytes.readUInt16LE(slot * SLOT));
  const slots = Math.floor(bytes.length / SLOT);
  if (slots === 0) return null;
  const recorded = Array.from({ length: slots - 1 }, (_, i) => ({ endpoint: nameAt(i + 1), rows: bytes.readDoubleLE((i + 1) * SLOT + COUNT_AT) }));
  return { session: nameAt(0), recorded };
}

/** The ledger in a file of its own, written in place: the page cache outlives the process. `onError` is told of the first write that fails. */
export function openIntakeLedger(file: string, onError: (error: unknown) => void): IntakeLedger {
  mkdirSync(dirname(file), { recursive: true });
  const previous = read(file);
  const session = newId();
  const aside = `${file}.new`;
  const fd = openSync(aside, 'w');
  const slots = new Map<string, number>();
  const count = Buffer.alloc(8);
  let open = true;
  let complained = false;
  const claim = (name: string): number => {
    const slot = Buffer.alloc(SLOT);
    const bytes = Buffer.from(name).subarray(0, MAX_NAME);
    slot.writeUInt16LE(bytes.length);
    bytes.copy(slot, 2);
    writeSync(fd, slot, 0, SLOT, slots.size * SLOT);
    slots.set(name, slots.size);
    return slots.size - 1;
  };
  claim(session);
  return {
    session,
    previous,
    mark(endpoint, rows) {
      try {
        const slot = slots.get(endpoint) ?? claim(endpoint);
        count.writeDoubleLE(rows);
        writeSync(fd, count, 0, 8, slot * SLOT + COUNT_AT);
      } catch (error) {
        // A full disk: predictions go on; a crash now would count fewer rows as lost than there were.
        if (!complained) onError(error);
        complained = true;
      }
    },
    settled: () => renameSync(aside, file),
    // Monitoring closes it, and so does whoever opened it, in case monitoring never came up.
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
