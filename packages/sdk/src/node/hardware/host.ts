import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { readLimits } from './cgroup.ts';

type Values = Record<string, number>;

/** What counts on, and when it was read. */
interface Reading {
  at: number;
  /** Of the machine: milliseconds since its start. */
  busy: number;
  all: number;
  /** Of this process: microseconds. */
  process: number;
  /** Of its control group: microseconds. */
  group: number | undefined;
}

const MEGA = 1e6;

/**
 * Reads CPU, memory, disk, network and this process, under the names of MLflow's system metrics (without `system/`) and in its units: percent and
 * megabytes (10^6 bytes). In a container with limits, CPU and memory are shares of what it may use.
 */
export class HostMonitor {
  readonly #disk: string;
  #last: Reading | undefined;
  #network: { received: number; sent: number } | undefined;

  /** `disk`: a path on the disk to look at. */
  constructor(disk: string) {
    this.#disk = disk;
  }

  /** Where counting begins. */
  async start(): Promise<void> {
    this.#last = (await this.#read()).reading;
    this.#network = await readNetwork();
  }

  /** The values since the last call, or `start`. */
  async sample(): Promise<Values> {
    const { reading, limits } = await this.#read();
    const last = this.#last ?? reading;
    this.#last = reading;
    const micros = (reading.at - last.at) * 1000;
    const values: Values = {};
    if (limits.cpu !== undefined && last.group !== undefined && micros > 0)
      values['cpu_utilization_percentage'] = Math.min(100, (100 * (limits.cpu.usedMicros - last.group)) / (micros * limits.cpu.cores));
    else if (reading.all > last.all) values['cpu_utilization_percentage'] = (100 * (reading.busy - last.busy)) / (reading.all - last.all);
    const memory = limits.memory ?? { limit: totalmem(), used: totalmem() - freemem() };
    values['system_memory_usage_megabytes'] = memory.used / MEGA;
    values['system_memory_usage_percentage'] = (100 * memory.used) / memory.limit;
    // As psutil: 100 is one core.
    if (micros > 0) values['process_cpu_utilization_percentage'] = (100 * (reading.process - last.process)) / micros;
    values['process_memory_usage_megabytes'] = process.memoryUsage.rss() / MEGA;
    return { ...values, ...(await this.#diskValues()), ...(await this.#networkValues()) };
  }

  async #read() {
    const limits = await readLimits({ cores: availableParallelism(), memory: totalmem() });
    let [busy, all] = [0, 0];
    for (const { times } of cpus()) {
      const sum = times.user + times.nice + times.sys + times.idle + times.irq;
      all += sum;
      busy += sum - times.idle;
    }
    const { user, system } = process.cpuUsage();
    const reading: Reading = { at: performance.now(), busy, all, process: user + system, group: limits.cpu?.usedMicros };
    return { reading, limits };
  }

  async #diskValues(): Promise<Values> {
    try {
      const { bsize, blocks, bfree, bavail } = await statfs(this.#disk);
      const [used, free] = [(blocks - bfree) * bsize, bavail * bsize];
      // As df and psutil: of what users may fill.
      return {
        disk_usage_percentage: (100 * used) / (used + free),
        disk_usage_megabytes: used / MEGA,
        disk_available_megabytes: free / MEGA,
      };
    } catch {
      return {};
    }
  }

  async #networkValues(): Promise<Values> {
    const now = await readNetwork();
    if (now === undefined || this.#network === undefined) return {};
    return {
      network_receive_megabytes: (now.received - this.#network.received) / MEGA,
      network_transmit_megabytes: (now.sent - this.#network.sent) / MEGA,
    };
  }
}

/** Bytes of all interfaces since the system's start; undefined where the system does not tell (only Linux does, without a program). */
async function readNetwork(): Promise<{ received: number; sent: number } | undefined> {
  try {
    let [received, sent] = [0, 0];
    for (const line of (await readFile('/proc/net/dev', 'utf8')).split('\n').slice(2)) {
      const fields = line
        .slice(line.indexOf(':') + 1)
        .trim()
        .split(/\s+/)
        .map(Number);
      if (fields.length < 9) continue;
      received += fields[0] as number;
      sent += fields[8] as number;
    }
    return { received, sent };
  } catch {
    return undefined;
  }
}
