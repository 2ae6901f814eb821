import type { paths } from './daemon.gen';
import { NthlayerError } from './errors';

type Get = { get: { responses: { 200: { content: { 'application/json': unknown } } } } };
type Post = { post: { requestBody?: { content: { 'application/json': unknown } } } };

/** Paths of the daemon that can be looked at. */
export type LookPath = { [P in keyof paths]: paths[P] extends Get ? P : never }[keyof paths];
/** Paths of the daemon that something can be asked of. */
export type AskPath = { [P in keyof paths]: paths[P] extends Post ? P : never }[keyof paths];

type Json<T> = T extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Parameters<O> = O extends { parameters: infer All } ? All : never;
type Given<All, Where extends string> = All extends { [W in Where]?: infer Of } ? NonNullable<Of> : never;

/** What a GET answers. */
export type Found<P extends LookPath> = paths[P] extends { get: { responses: { 200: infer Ok } } } ? Json<Ok> : never;
/** Parameters of a GET: those in the path by their names, and those of the query. */
export type Looked<P extends LookPath> = paths[P] extends { get: infer O }
  ? { path?: Given<Parameters<O>, 'path'>; query?: Partial<Given<Parameters<O>, 'query'>> }
  : never;
/** The body of a command. */
export type Sent<P extends AskPath> = paths[P] extends { post: { requestBody?: infer B } } ? Json<NonNullable<B>> : never;

/** What the pages need of NthLayer. */
export interface NthlayerApi {
  /** Look something up. Throws a NthlayerError. */
  look<P extends LookPath>(path: P, what?: Looked<P>, signal?: AbortSignal): Promise<Found<P>>;
  /** Have something done. Throws a NthlayerError. */
  ask<P extends AskPath>(path: P, body: Sent<P>, key?: string): Promise<void>;
}

/** Where requests go, and how: discoveryApi and fetchApi of Backstage fit. */
export type Way = {
  discoveryApi: { getBaseUrl(pluginId: string): Promise<string> };
  fetchApi: { fetch: typeof fetch };
};

/**
 * The daemon, asked through the plugin `nthlayer` of the Backstage backend, which says who asks.
 * A path `/api/v1/…` of the daemon is `/api/nthlayer/v1/…` there.
 */
export class NthlayerClient implements NthlayerApi {
  private readonly way: Way;

  constructor(way: Way) {
    this.way = way;
  }

  async look<P extends LookPath>(path: P, what: Looked<P> = {} as Looked<P>, signal?: AbortSignal): Promise<Found<P>> {
    const response = await this.send(`${filled(path, what.path ?? {})}${queried(what.query ?? {})}`, { signal });
    return response.json();
  }

  async ask<P extends AskPath>(path: P, body: Sent<P>, key?: string): Promise<void> {
    const headers = { 'Content-Type': 'application/json', ...(key ? { 'Idempotency-Key': key } : {}) };
    await this.send(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      const base = await this.way.discoveryApi.getBaseUrl('nthlayer');
      response = await this.way.fetchApi.fetch(`${base}${path.replace(/^\/api/, '')}`, init);
    } catch (thrown) {
      if (init.signal?.aborted) throw thrown;
      throw NthlayerError.fromThrown(thrown);
    }
    if (!response.ok) throw await NthlayerError.fromResponse(response);
    return response;
  }
}

function filled(path: string, values: Record<string, unknown>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function queried(values: Record<string, unknown>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === '') continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return query.size ? `?${query}` : '';
}
