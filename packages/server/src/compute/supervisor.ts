import { BinnacleError, type Clock, messageOf, systemClock, unavailable } from '../kernel/index.ts';
import { Backoff } from './backoff.ts';
import { describeExit, type ExitReason } from './exit-reason.ts';
import type { HealthProbe, Service, ServiceHost, ServiceSpec } from './service.port.ts';
import type { ServiceLog } from './service-log.ts';

export interface SupervisorOptions {
  host: ServiceHost;
  spec: ServiceSpec;
  probe: HealthProbe;
  /** Answered with 200 once the service can be used. */
  healthPath: string;
  log: ServiceLog;
  /** Asked before every start, the first and those after an end; it is not started when this throws. */
  check?: (() => Promise<void>) | undefined;
  /** Makes the service usable after each start, such as by warming it; a failure counts as a failed start. */
  onReady(service: Service): Promise<void>;
  /** Told whenever `problem` changes. */
  onChange?: ((problem: string | undefined) => void) | undefined;
  /** False while the service may rightly be too busy to answer. */
  idle?: (() => boolean) | undefined;
  backoff?: Backoff;
  now?: Clock;
  startTimeoutMs?: number;
  graceMs?: number;
  /** Between two looks at whether it is healthy; three failures in a row end it. */
  healthMs?: number;
  /** How long it must have served for its failures to be forgotten. */
  stableMs?: number;
}

const POLL_MS = 100;
const STARTING_GRACE_MS = 1000;
const UNHEALTHY_AFTER = 3;

/** Keeps one service up: start → healthy → ready; when it ends, again after a growing wait; until `stop`. */
export class Supervisor {
  readonly #options: Required<SupervisorOptions>;
  #service: Service | undefined;
  #problem: string | undefined = 'it has not been started';
  #stopped = false;
  readonly #abandoned = Promise.withResolvers<never>();
  readonly #stopping = new AbortController();
  #wake: () => void = () => {};
  #loop: Promise<void> | undefined;
  /** A problem of liveness that explains the end that follows it. */
  #hung: string | undefined;

  constructor(options: SupervisorOptions) {
    this.#abandoned.promise.catch(() => {});
    this.#options = {
      onChange: () => {},
      check: async () => {},
      idle: () => true,
      backoff: new Backoff(),
      now: systemClock,
      startTimeoutMs: 120_000,
      graceMs: 10_000,
      healthMs: 10_000,
      stableMs: 60_000,
      ...options,
    } as Required<SupervisorOptions>;
  }

  /** Why it cannot be used now, with the end of its log; undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get service(): Service | undefined {
    return this.#service;
  }

  /**
   * The first start, tried once: a model that does not start is better told of than retried. Throws `unavailable` (service_failed) with the end
   * of the log. After it, the service is brought back whenever it ends.
   */
  async start(): Promise<void> {
    const service = await this.#bringUp();
    this.#setProblem(undefined);
    this.#loop = this.#watch(service);
  }

  /** Ends the service for good; one that is starting too. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#abandoned.reject(unavailable('service_stopped', `${this.#options.spec.name} was stopped while it was being started.`));
    this.#wake();
    this.#stopping.abort();
    // On purpose, so nobody is told.
    this.#problem = 'it has been stopped';
    // One that has not served yet has nothing to finish.
    const { graceMs } = this.#options;
    await this.#service?.stop(this.#loop === undefined ? Math.min(STARTING_GRACE_MS, graceMs) : graceMs);
    await this.#loop;
  }

  #setProblem(problem: string | undefined): void {
    if (this.#problem === problem) return;
    this.#problem = problem;
    this.#options.onChange(problem);
  }

  async #bringUp(): Promise<Service> {
    const { host, spec, log, startTimeoutMs, check, onReady } = this.#options;
    // Building may take minutes; whoever stops does not wait for it.
    await Promise.race([host.prepare(spec, log.add, this.#stopping.signal), this.#abandoned.promise]);
    await Promise.race([check(), this.#abandoned.promise]);
    const service = await host.start(spec, log.add).catch((error: unknown) => {
      throw error instanceof BinnacleError ? error : this.#failure(`it could not be started (${messageOf(error)})`);
    });
    this.#service = service;
    try {
      // `stop` may have come while it was being started, when there was nothing to end yet.
      if (this.#stopped) await this.#abandoned.promise;
      const ended = await this.#healthy(service);
      if (ended === 'slow') throw this.#failure(`it did not answer ${this.#options.healthPath} within ${Math.round(startTimeoutMs / 1000)} s`);
      if (ended !== undefined) throw this.#failure(describeExit(ended));
      await onReady(service);
      log.add(`ready on ${service.host}:${service.port}`, 'binnacle');
      return service;
    } catch (error) {
      this.#service = undefined;
      await service.stop(Math.min(STARTING_GRACE_MS, this.#options.graceMs));
      throw error;
    }
  }

  /** Undefined once it is healthy; how it ended, or 'slow'. */
  async #healthy(service: Service): Promise<ExitReason | 'slow' | undefined> {
    const { probe, healthPath, startTimeoutMs, now } = this.#options;
    const until = now() + startTimeoutMs;
    for (;;) {
      const healthy = await probe(service, healthPath, 2000).catch(() => false);
      // Another program may have had the port: the one that ended did not answer.
      const ended = await Promise.race([service.exited, sleep(healthy ? 0 : POLL_MS)]);
      if (ended !== undefined || healthy) return ended;
      if (now() >= until) return 'slow';
    }
  }

  /** `spec.name` begins the text; the log's end closes it. */
  #failure(why: string) {
    const tail = this.#options.log.tail();
    return unavailable(
      'service_failed',
      `The server of ${this.#options.spec.name} failed: ${why}.${tail === '' ? ' It wrote nothing.' : ` Its last lines:\n${tail}`}`,
      { retryAfterSeconds: 5 },
    );
  }

  /** One turn a life of the service. */
  async #watch(first: Service): Promise<void> {
    const { backoff, log, now, stableMs } = this.#options;
    let service: Service | undefined = first;
    for (;;) {
      if (service !== undefined) {
        const since = now();
        const why = await this.#until(service);
        if (this.#stopped) return;
        if (now() - since >= stableMs) backoff.reset();
        this.#service = undefined;
        this.#fallen(why, backoff.next());
      }
      await this.#wait;
      if (this.#stopped) return;
      try {
        service = await this.#bringUp();
        if (this.#stopped) return await service.stop(this.#options.graceMs);
        this.#setProblem(undefined);
      } catch (error) {
        service = undefined;
        if (this.#stopped) return;
        log.add(`the start failed: ${messageOf(error).split('\n', 1)[0]}`, 'binnacle');
        this.#fallen(messageOf(error), backoff.next(), true);
      }
    }
  }

  #wait: Promise<void> = Promise.resolve();

  #fallen(why: string, waitMs: number, whole = false): void {
    const { backoff, log } = this.#options;
    const text = whole ? why : this.#failure(why).message;
    const seconds = waitMs < 1000 ? 'less than a second' : `${Math.round(waitMs / 1000)} s`;
    const loop = backoff.looping ? `It keeps failing (${backoff.failures} times in a row). ` : '';
    log.add(`${whole ? 'not started' : why}; next start in ${seconds}`, 'binnacle');
    this.#setProblem(`${loop}${text}${/[.!?]$/.test(text) ? '' : '.'} It is started again in ${seconds}.`);
    this.#wait = new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Resolves with the reason when the service has ended; ends it when it no longer answers. */
  async #until(service: Service): Promise<string> {
    const { probe, healthPath, healthMs, graceMs, idle } = this.#options;
    let misses = 0;
    let looking = false;
    this.#hung = undefined;
    const timer = setInterval(() => {
      if (looking || !idle()) return;
      looking = true;
      void probe(service, healthPath, healthMs)
        .catch(() => false)
        .then((fine) => {
          looking = false;
          misses = fine || !idle() ? 0 : misses + 1;
          if (misses < UNHEALTHY_AFTER || this.#hung !== undefined) return;
          this.#hung = `it no longer answered ${healthPath}`;
          void service.stop(Math.min(1000, graceMs));
        });
    }, healthMs);
    timer.unref();
    const reason = await service.exited;
    clearInterval(timer);
    return this.#hung ?? describeExit(reason);
  }
}

const sleep = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), ms));
