import type { TensorSpec } from '@binnacle/contract';
import type { Tensor } from '../../serving/index.ts';
import { loadRuntime, openSession, type Session } from './binding.ts';
import { type ProbeResult, probe } from './probe.ts';
import type { SessionSettings } from './session-settings.ts';

/** What is known of a model once it has been opened and run a few times. */
export interface Opened extends ProbeResult {
  inputs: TensorSpec[];
  outputs: TensorSpec[];
  /** Milliseconds of processor time that making the session took, which is about how long it would block another thread. */
  openMs: number;
  /** By how much the process grew, bytes: weights, arena and code. Only meaningful in a process of its own. */
  grownBytes: number;
  /** Execution providers that could be used. */
  providers: Session['providers'];
}

/** JSON has no NaN. */
export const revive = (opened: Opened): Opened => ({ ...opened, runMicros: opened.runMicros ?? Number.NaN, rowMicros: opened.rowMicros ?? Number.NaN });

/** `known` spares the measuring, where it has been done. */
export async function openAndProbe(
  file: string,
  settings: SessionSettings,
  sample: Tensor[] | undefined,
  known?: ProbeResult,
): Promise<{ session: Session; opened: Opened }> {
  await loadRuntime();
  const memory = process.memoryUsage.rss();
  // Processor time: a busy machine must not make a small model look large.
  const before = process.threadCpuUsage();
  const session = await openSession(file, settings);
  const spent = process.threadCpuUsage(before);
  const openMs = (spent.user + spent.system) / 1000;
  const { inputs, outputs, providers } = session;
  const result = known ?? probe(session, sample);
  return { session, opened: { ...result, inputs, outputs, openMs, providers, grownBytes: Math.max(0, process.memoryUsage.rss() - memory) } };
}
