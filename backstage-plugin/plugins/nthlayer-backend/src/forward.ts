import { ServiceUnavailableError } from '@backstage/errors';
import type { Request, Response } from 'express';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';

/** Milliseconds that the daemon has to begin its answer; undoing a large plan takes longest. */
const TIMEOUT = 60_000;
const SENT = [
  'accept',
  'content-type',
  'idempotency-key',
  'if-none-match',
  'last-event-id',
];
const GIVEN = ['content-type', 'etag', 'retry-after'];

/** Names of Backstage's errors, by the status of the daemon. */
const NAMES: Record<number, string> = {
  400: 'InputError',
  401: 'AuthenticationError',
  403: 'NotAllowedError',
  404: 'NotFoundError',
  409: 'ConflictError',
  422: 'InputError',
  503: 'ServiceUnavailableError',
};

/** Ask the daemon for what the request asks for, as the user whom the token speaks for, and pass on what it says. */
export async function forward(
  url: string,
  token: string,
  request: Request,
  response: Response,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  const late = setTimeout(
    () => left.abort(new Error('it took too long')),
    TIMEOUT,
  );
  let answer: globalThis.Response;
  try {
    answer = await fetch(url, {
      method: request.method,
      headers: {
        ...picked(name => request.get(name), SENT),
        authorization: `Bearer ${token}`,
      },
      ...(Buffer.isBuffer(request.body) && { body: request.body }),
      redirect: 'error',
      signal: left.signal,
    });
  } catch (error) {
    if (response.destroyed) return;
    throw new ServiceUnavailableError('NthLayer cannot be reached', error);
  } finally {
    clearTimeout(late);
  }
  response
    .status(answer.status)
    .set(picked(name => answer.headers.get(name) ?? undefined, GIVEN))
    // What a user may see is nobody else's to keep; and a compressed stream of events would wait for its buffer.
    .set('cache-control', 'private, no-cache, no-transform')
    .set('vary', 'Authorization');
  if (answer.status >= 400) {
    response.type('application/json').send(await asError(answer, request));
    return;
  }
  if (!answer.body || answer.status === 204 || answer.status === 304) {
    await answer.body?.cancel();
    response.end();
    return;
  }
  response.flushHeaders();
  try {
    const body = answer.body as ReadableStream<Uint8Array>; // two names of the same
    await pipeline(Readable.fromWeb(body), response);
  } catch {
    response.destroy(); // one of both is gone, and the answer cannot be finished
  }
}

/** What the daemon refused with, in the envelope of Backstage's errors; its own problem (RFC 9457) stands beside it. */
async function asError(answer: globalThis.Response, request: Request) {
  const problem = await answer.json().catch(() => ({}));
  const { status } = answer;
  return {
    ...problem,
    error: {
      name: NAMES[status] ?? 'ResponseError',
      message: problem?.detail ?? `NthLayer answered with ${status}`,
    },
    request: { method: request.method, url: request.url },
    response: { statusCode: status },
  };
}

function picked(
  from: (name: string) => string | undefined,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap(name => {
      const value = from(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
