import { execFile } from 'node:child_process';

const FIELDS = ['index', 'utilization.gpu', 'memory.used', 'memory.total', 'power.draw', 'enforced.power.limit'];
const TIMEOUT_MS = 5000;
const MOST_FAILURES = 3;
/** nvidia-smi counts in MiB, MLflow in 10^6 bytes. */
const MEBI = 1.048576;

/** A field's number; NaN for `[N/A]`, `[Not Supported]`, `[Unknown Error]` and the like. */
const numberOf = (field: string | undefined): number => (field === undefined || field.trim() === '' ? Number.NaN : Number(field));

/** What nvidia-smi printed, under the names of MLflow's system metrics; what a card does not tell is left out. */
export function parseNvidiaSmi(output: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of output.split('\n')) {
    const [index, utilization, used, total, watts, limit] = line.split(',').map(numberOf) as [number, number, number, number, number, number];
    if (!Number.isInteger(index)) continue;
    for (const [name, value] of Object.entries({
      utilization_percentage: utilization,
      memory_usage_megabytes: used * MEBI,
      memory_usage_percentage: (100 * used) / total,
      power_usage_watts: watts,
      power_usage_percentage: (100 * watts) / limit,
    }))
      if (Number.isFinite(value)) values[`gpu_${index}_${name}`] = value;
  }
  return values;
}

/** Asks nvidia-smi, beside the training; stops to ask when there is none, or when it fails three times in a row. */
export class GpuMonitor {
  readonly #abort = new AbortController();
  readonly #timeoutMs: number;
  #failures = 0;

  constructor(timeoutMs = TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs;
  }

  get active(): boolean {
    return this.#failures < MOST_FAILURES && !this.#abort.signal.aborted;
  }

  async sample(): Promise<Record<string, number>> {
    if (!this.active) return {};
    const answer = await this.#ask();
    if (typeof answer === 'string') {
      this.#failures = 0;
      return parseNvidiaSmi(answer);
    }
    this.#failures = answer.code === 'ENOENT' ? MOST_FAILURES : this.#failures + 1;
    return {};
  }

  #ask(): Promise<string | { code: unknown }> {
    const argv = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
    return new Promise((resolve) => {
      try {
        const child = execFile(
          'nvidia-smi',
          argv,
          { timeout: this.#timeoutMs, killSignal: 'SIGKILL', signal: this.#abort.signal, windowsHide: true },
          (error, stdout) => resolve(error === null ? stdout : { code: error.code }),
        );
        // A training that is done does not wait for it.
        child.unref();
      } catch (error) {
        resolve({ code: (error as { code?: unknown }).code });
      }
    });
  }

  stop(): void {
    this.#abort.abort();
  }
}
