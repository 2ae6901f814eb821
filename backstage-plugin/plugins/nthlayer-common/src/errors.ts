import type { components } from './daemon.gen';

/** Why something was refused, as the daemon says it (RFC 9457). */
export type Problem = components['schemas']['Problem'];

/**
 * What sort of trouble it is:
 * `away` nobody answers, or not now; `denied` the person may not; `missing` there is no such thing;
 * `refused` it makes no sense as it was asked; `broken` anything else.
 */
export type Trouble = 'away' | 'denied' | 'missing' | 'refused' | 'broken';

const TROUBLES: Record<number, Trouble> = {
  401: 'denied',
  403: 'denied',
  404: 'missing',
  429: 'away',
  502: 'away',
  503: 'away',
  504: 'away',
};

/** The answer was not what was asked for. The message is for people. */
export class NthlayerError extends Error {
  readonly trouble: Trouble;
  readonly status: number;
  readonly problem: Problem | undefined;

  constructor(trouble: Trouble, message: string, status = 0, problem?: Problem) {
    super(message);
    this.name = 'NthlayerError';
    this.trouble = trouble;
    this.status = status;
    this.problem = problem;
  }

  /** What an answer that is no success says: a problem of the daemon, or an error of Backstage. */
  static async fromResponse(response: Response): Promise<NthlayerError> {
    const { status } = response;
    const trouble = TROUBLES[status] ?? (status < 500 ? 'refused' : 'broken');
    const body: unknown = await response.json().catch(() => undefined);
    const problem = isProblem(body) ? body : undefined;
    const message = problem?.detail || backstageMessage(body) || `NthLayer answered with ${status}`;
    return new NthlayerError(trouble, message, status, problem);
  }

  /** Anything that was thrown on the way: the request did not get through. */
  static fromThrown(thrown: unknown): NthlayerError {
    if (thrown instanceof NthlayerError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new NthlayerError('away', `NthLayer cannot be reached: ${message}`);
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'detail' in body && typeof body.detail === 'string';
}

/** The message in Backstage's envelope of errors. */
function backstageMessage(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('error' in body)) return '';
  const { error } = body;
  return typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';
}
