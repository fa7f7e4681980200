import { parse } from 'node:path';
import { GpuMonitor } from './gpu.ts';
import { HostMonitor } from './host.ts';

export interface HardwareOptions {
  /** Milliseconds between two samples; 10,000 by default, as in MLflow. */
  intervalMs?: number;
  /** Ask nvidia-smi. Default: true. */
  gpu?: boolean;
  /** A path on the disk to look at. Default: the root of the current folder's drive. */
  disk?: string;
  /** Name of this machine among several of one run: the series are then `system/<node>/…`. Default: MLFLOW_SYSTEM_METRICS_NODE_ID, else none. */
  node?: string;
}

/** The first sample comes early, so that a short run has one. */
const FIRST_MS = 1000;

/** Samples the machine while a run is open. Each sample is a step, from 0 on, as in MLflow. */
export class HardwareSampler {
  readonly #options: HardwareOptions;
  readonly #log: (values: Record<string, number>, step: number) => void;
  readonly #host: HostMonitor;
  readonly #gpu: GpuMonitor | undefined;
  readonly #prefix: string;
  #step = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sampling: Promise<void> | undefined;
  #stopped = false;

  constructor(log: (values: Record<string, number>, step: number) => void, options: HardwareOptions) {
    this.#log = log;
    this.#options = options;
    this.#host = new HostMonitor(options.disk ?? parse(process.cwd()).root);
    this.#gpu = options.gpu === false ? undefined : new GpuMonitor();
    const node = options.node ?? process.env['MLFLOW_SYSTEM_METRICS_NODE_ID'] ?? '';
    this.#prefix = node === '' ? 'system/' : `system/${node}/`;
  }

  start(): void {
    void this.#host.start().then(() => this.#later(Math.min(FIRST_MS, this.#interval)));
  }

  get #interval(): number {
    return Math.max(100, this.#options.intervalMs ?? 10_000);
  }

  #later(ms: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#sampling = this.#sample().finally(() => this.#later(this.#interval));
    }, ms);
    this.#timer.unref();
  }

  async #sample(): Promise<void> {
    try {
      const [host, gpu] = await Promise.all([this.#host.sample(), this.#gpu?.sample()]);
      const values: Record<string, number> = {};
      for (const [name, value] of Object.entries({ ...host, ...gpu })) values[this.#prefix + name] = Math.round(value * 1000) / 1000;
      this.#log(values, this.#step++);
    } catch {
      // A machine that cannot be looked at is no reason to disturb a training.
    }
  }

  /** No more samples; resolves when the one under way is logged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#gpu?.stop();
    await this.#sampling;
  }
}
