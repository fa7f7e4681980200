import type { Problem } from '@binnacle/contract';

/**
 * A request that Binnacle refused or could not answer. The fields are those of its problem+json reply (RFC 9457);
 * `status` is 0 when no reply came at all, `code` is then `network`.
 */
export class BinnacleApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly details: Record<string, unknown>;
  /** Seconds after which the server asks to try again (429, 503). */
  readonly retryAfter: number | undefined;

  constructor(problem: Partial<Problem> & { detail: string; status: number }, options?: { cause?: unknown; retryAfter?: number }) {
    super(problem.detail, { cause: options?.cause });
    this.name = 'BinnacleApiError';
    this.status = problem.status;
    this.code = problem.code ?? (problem.status === 0 ? 'network' : 'http_error');
    this.title = problem.title ?? (problem.status === 0 ? 'No answer' : `HTTP ${problem.status}`);
    this.detail = problem.detail;
    this.details = problem.details ?? {};
    this.retryAfter = options?.retryAfter;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads an error reply of any of Binnacle's protocols (problem+json, MLflow's error_code, Open Inference's error). */
export async function errorFromResponse(response: Response): Promise<BinnacleApiError> {
  const text = await response.text().catch(() => '');
  const retry = Number(response.headers.get('retry-after'));
  const options = retry > 0 ? { retryAfter: retry } : {};
  const fallback = { status: response.status, title: response.statusText || `HTTP ${response.status}` };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    const detail = text.trimStart().startsWith('<') || text === '' ? `The server answered ${response.status} without a reason.` : text.slice(0, 2000);
    return new BinnacleApiError({ ...fallback, detail }, options);
  }
  if (isObject(body)) {
    if (typeof body['detail'] === 'string') {
      return new BinnacleApiError(
        {
          ...fallback,
          ...(typeof body['title'] === 'string' ? { title: body['title'] } : {}),
          ...(typeof body['code'] === 'string' ? { code: body['code'] } : {}),
          ...(isObject(body['details']) ? { details: body['details'] } : {}),
          detail: body['detail'],
        },
        options,
      );
    }
    if (typeof body['error_code'] === 'string') {
      return new BinnacleApiError(
        { ...fallback, code: body['error_code'], detail: typeof body['message'] === 'string' ? body['message'] : body['error_code'] },
        options,
      );
    }
    if (typeof body['error'] === 'string') return new BinnacleApiError({ ...fallback, detail: body['error'] }, options);
    if (typeof body['message'] === 'string') return new BinnacleApiError({ ...fallback, detail: body['message'] }, options);
  }
  return new BinnacleApiError({ ...fallback, detail: text.slice(0, 2000) }, options);
}
