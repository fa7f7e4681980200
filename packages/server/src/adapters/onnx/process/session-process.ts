import type { Socket } from 'node:net';
import { type BinnacleError, deserializeError, invalid, messageOf, type SerializedError, unavailable } from '../../../kernel/index.ts';
import { closed, giveWay, type Program, type ProgramExit } from '../../../launcher/index.ts';
import type { RunCall, RunMarks, Tensor } from '../../../serving/index.ts';
import { type Opened, revive } from '../open.ts';
import type { SessionHost } from '../pool.ts';
import type { SessionSettings } from '../session-settings.ts';
import type { OpenRequest } from './child.ts';
import { encode, type Frame } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { launchModelProcess, residentBytes } from './launch.ts';

export interface ProcessSpec {
  /** How messages name the model. */
  label: string;
  file: string;
  settings: SessionSettings;
  sample: Tensor[] | undefined;
  /** Of making the session and warming it up. */
  loadTimeoutMs: number;
  /** Of one run; none when absent. */
  runTimeoutMs?: number | undefined;
  memoryLimitMiB?: number | undefined;
  /** A process that only tries a file is the first to go when the machine has no memory left, and the last to run when cores are short. */
  expendable?: boolean;
}

interface Pending {
  id: number;
  names: readonly string[];
  marks: RunMarks | undefined;
  resolve(outputs: Tensor[]): void;
  reject(error: Error): void;
  settle(): void;
}

/** A run that is no longer wanted may end by itself within this: that is cheaper than a new process. */
const CANCEL_GRACE_MS = 100;
const WATCH_MS = 50;
const CLOSE_MS = 5000;
const KEPT_OUTPUT = 2000;
/** Reasons for which we kill it that count as a loss, and not as the end of one run. */
const ITS_OWN_FAULT: ReadonlySet<string> = new Set(['memory_limit', 'runtime_crashed']);

/** A process with a session of its own. What is out of hand there is killed; nothing here waits for it. */
export class SessionProcess implements SessionHost {
  readonly opened: Promise<Opened>;
  readonly #spec: ProcessSpec;
  readonly #onLost: (why: string | undefined) => void;
  readonly #exited: Promise<void>;
  /** Undefined until it has been started. */
  #program: Program | undefined;
  readonly #opening = Promise.withResolvers<Opened>();
  #places = new Map<string, { input: number; output: number }>();
  #pending: Pending | undefined;
  #isOpen = false;
  #dead = false;
  #closing = false;
  /** Why we have killed it. */
  #killed: BinnacleError | undefined;
  #stderr = '';
  #sequence = 0;
  busyMicros = 0;

  /** `onLost` is called with the reason when the process ends unasked; undefined when we have ended it for the sake of a run. */
  constructor(spec: ProcessSpec, onLost: (why: string | undefined) => void = () => {}) {
    this.#spec = spec;
    this.opened = this.#opening.promise;
    this.opened.catch(() => {});
    this.#onLost = onLost;
    const loading = setTimeout(() => {
      const seconds = Math.round(spec.loadTimeoutMs / 100) / 10;
      this.#kill(invalid('load_timeout', `loading '${spec.label}' and warming it up took more than ${seconds} s, and was ended`));
    }, spec.loadTimeoutMs);
    void this.opened.catch(() => {}).finally(() => clearTimeout(loading));
    this.#exited = this.#live();
  }

  /** From its start to its end; never rejects. */
  async #live(): Promise<void> {
    const { memoryLimitMiB } = this.#spec;
    let program: Program;
    try {
      program = await launchModelProcess();
    } catch (error) {
      // Nothing that the file has done.
      this.#killed ??= unavailable('process_not_started', `The process for '${this.#spec.label}' could not be started: ${messageOf(error)}`, {
        retryAfterSeconds: 1,
      });
      return this.#ended('');
    }
    this.#program = program;
    const socket = this.#socket as Socket;
    const reader = new FrameReader((frame) => this.#received(frame), memoryLimitMiB === undefined ? undefined : memoryLimitMiB * 2 ** 20);
    socket.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    program.pipes[2]?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-KEPT_OUTPUT);
    });
    const watch = memoryLimitMiB === undefined ? undefined : setInterval(() => this.#watch(memoryLimitMiB), WATCH_MS);
    if (this.#killed !== undefined) program.kill('SIGKILL');
    else if (this.#closing) socket.end();
    else this.#open(program);
    const exit = await closed(program);
    clearInterval(watch);
    this.#ended(this.#describe(exit));
  }

  #ended(why: string): void {
    const { label } = this.#spec;
    this.#dead = true;
    const wasOpen = this.#isOpen;
    this.#opening.reject(this.#killed ?? invalid('onnx_crashed', `ONNX Runtime ended (${why}) while it loaded '${label}'; the file is refused`));
    this.#pending?.reject(
      this.#killed ??
        unavailable('runtime_crashed', `The process that runs '${label}' ended (${why}) during the request. It is being started again.`, {
          retryAfterSeconds: 1,
        }),
    );
    this.#pending?.settle();
    if (!wasOpen || this.#closing) return;
    this.#onLost(this.#killed === undefined ? `its process ended (${why})` : ITS_OWN_FAULT.has(this.#killed.code) ? this.#killed.message : undefined);
  }

  get #socket(): Socket | undefined {
    return this.#program?.pipes[3];
  }
  get alive(): boolean {
    return !this.#dead && this.#killed === undefined;
  }
  get memoryBytes(): number | undefined {
    return residentBytes(this.#program?.pid);
  }
  /** For tests, and for whoever wants to look at it from outside. */
  get pid(): number | undefined {
    return this.#program?.pid;
  }

  #open({ pid }: Program): void {
    // Nobody waits for a trial as clients wait for their answers.
    if (this.#spec.expendable === true) giveWay(pid, 10);
    const { file, settings, sample, memoryLimitMiB, expendable } = this.#spec;
    const request: OpenRequest = { file, settings, memoryLimitMiB, sample: sample?.map(({ name }) => name), oomScore: expendable === true ? 1000 : 300 };
    const tensors = sample?.map((tensor, place) => ({ place, tensor })) ?? [];
    this.#write(encode({ kind: 'open', text: JSON.stringify(request), tensors }));
  }

  #write(parts: Uint8Array[]): void {
    const socket = this.#socket;
    socket?.cork();
    for (const part of parts) socket?.write(part);
    socket?.uncork();
  }

  /** A graph may have got hold of that process: whatever it says, it is the one that ends. */
  #read(reader: FrameReader, chunk: Buffer): void {
    if (!this.alive) return;
    try {
      reader.push(chunk);
    } catch (error) {
      const text = `The process that runs '${this.#spec.label}' sent what cannot be read (${messageOf(error)}) and was ended`;
      this.#kill(this.#isOpen ? unavailable('runtime_crashed', text, { retryAfterSeconds: 1 }) : invalid('onnx_crashed', `${text}; the file is refused`));
    }
  }

  #received(frame: Frame): void {
    if (frame.kind === 'opened') {
      const opened = revive(JSON.parse(frame.text) as Opened);
      opened.inputs.forEach(({ name }, input) => this.#places.set(`i${name}`, { input, output: -1 }));
      opened.outputs.forEach(({ name }, output) => this.#places.set(`o${name}`, { input: -1, output }));
      this.#isOpen = true;
      return this.#opening.resolve(opened);
    }
    if (frame.kind === 'failed') return this.#opening.reject(deserializeError(JSON.parse(frame.text) as SerializedError));
    const pending = this.#pending;
    if (pending?.id !== frame.id) return;
    this.#pending = undefined;
    pending.settle();
    this.busyMicros += frame.micros;
    if (pending.marks !== undefined) pending.marks.returned = performance.now();
    if (frame.kind === 'error') return pending.reject(deserializeError(JSON.parse(frame.text) as SerializedError));
    pending.resolve(frame.tensors.map(({ tensor }, i) => ({ ...tensor, name: pending.names[i] ?? '' })));
  }

  /** One at a time: the pool sees to it. */
  run(inputs: readonly Tensor[], outputs: readonly string[], call?: RunCall, marks?: RunMarks): Promise<Tensor[]> {
    const { label, runTimeoutMs } = this.#spec;
    const signal = call?.signal;
    if (!this.alive) return Promise.reject(unavailable('runtime_crashed', `The process that runs '${label}' has ended. Try again.`, { retryAfterSeconds: 1 }));
    const { promise, resolve, reject } = Promise.withResolvers<Tensor[]>();
    let grace: NodeJS.Timeout | undefined;
    const deadline =
      runTimeoutMs === undefined
        ? undefined
        : setTimeout(
            () => this.#kill(unavailable('run_timeout', `Request timeout expired: a run of '${label}' took more than ${runTimeoutMs} ms and was ended`)),
            runTimeoutMs,
          );
    const cancelled = (): void => {
      grace = setTimeout(() => this.#kill(unavailable('cancelled', `The run of '${label}' was cancelled`)), CANCEL_GRACE_MS);
    };
    const settle = (): void => {
      clearTimeout(deadline);
      clearTimeout(grace);
      signal?.removeEventListener('abort', cancelled);
    };
    const id = ++this.#sequence >>> 0;
    this.#pending = { id, names: outputs, marks, resolve, reject, settle };
    if (signal?.aborted === true) cancelled();
    else signal?.addEventListener('abort', cancelled, { once: true });
    const places = outputs.map((name) => this.#places.get(`o${name}`)?.output ?? 0);
    const tensors = inputs.map((tensor) => ({ place: this.#places.get(`i${tensor.name}`)?.input ?? 0, tensor }));
    this.#write(encode({ kind: 'run', id, outputs: places, tensors }));
    if (marks !== undefined) marks.called = performance.now();
    return promise;
  }

  #watch(limitMiB: number): void {
    const bytes = this.memoryBytes;
    if (bytes === undefined || bytes <= limitMiB * 2 ** 20) return;
    const text = `'${this.#spec.label}' took ${Math.round(bytes / 2 ** 20)} MiB, more than its limit of ${limitMiB} MiB (of which the runtime itself takes about 80), and was ended`;
    this.#kill(this.#isOpen ? unavailable('memory_limit', text) : invalid('memory_limit', text));
  }

  #kill(why: BinnacleError): void {
    if (this.#dead || this.#killed !== undefined) return;
    this.#killed = why;
    this.#program?.kill('SIGKILL');
  }

  #describe({ code, signal }: ProgramExit): string {
    const words = this.#stderr
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('at '))
      .slice(-2)
      .join(' ');
    return `${signal ?? `exit code ${code}`}${words === '' ? '' : `: ${words}`}`;
  }

  /** Ends the process after the run that it has; what does not end is killed. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#socket?.end();
    const late = setTimeout(() => this.#program?.kill('SIGKILL'), CLOSE_MS);
    await this.#exited;
    clearTimeout(late);
  }
}
