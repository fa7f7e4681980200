/** Why a service is no longer there. */
export type ExitReason =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  /** More than it may have: by the kernel or by whoever watches. */
  | { kind: 'memory'; limitMiB: number | undefined }
  | { kind: 'lost'; why: string };

export function describeExit(reason: ExitReason): string {
  switch (reason.kind) {
    case 'exit':
      return `it ended with exit code ${reason.code}`;
    case 'signal':
      return `it was killed by ${reason.signal}`;
    case 'memory':
      return reason.limitMiB === undefined
        ? 'it ran out of memory'
        : `it took more memory than its limit of ${reason.limitMiB} MiB (memoryLimitMiB of the endpoint)`;
    default:
      return reason.why;
  }
}
