import type { AuthService } from '@backstage/backend-plugin-api';
import { signed } from './signature';

/** What is to stand on one entity. */
export interface Content {
  annotations?: Record<string, string>;
  links?: { url: string; title?: string; icon?: string; type?: string }[];
}

/** What is to stand on every entity, by reference, and the ETag of all that. */
export interface Snapshot {
  etag: string;
  entities: Record<string, Content>;
}

/** Milliseconds that the daemon has for an answer. */
const TIMEOUT = 15_000;
/** Bytes of an answer that are read at most. */
const LARGEST = 200_000_000;

export interface DaemonOptions {
  url: string;
  token?: string;
  keys: readonly Buffer[];
  auth: AuthService;
}

/** The NthLayer daemon, over HTTP. */
export class Daemon {
  constructor(private readonly options: DaemonOptions) {}

  /** What is to stand on the entities; undefined where that is still what `etag` names. */
  async snapshot(etag: string): Promise<Snapshot | undefined> {
    const response = await this.fetch('/api/v1/annotations', {
      headers: {
        ...(await this.authorization()),
        accept: 'application/json',
        ...(etag && { 'if-none-match': etag }),
      },
    });
    if (response.status === 304) return undefined;
    if (!response.ok) throw await refusal(response);
    if (Number(response.headers.get('content-length') ?? 0) > LARGEST) {
      await response.body?.cancel();
      throw new Error('the answer of the NthLayer daemon is too large');
    }
    return {
      etag: response.headers.get('etag') ?? '',
      entities: checked(await response.json()),
    };
  }

  /** Tell which entities changed. */
  async tell(entityRefs: readonly string[]): Promise<void> {
    const body = JSON.stringify({ entityRefs });
    const response = await this.fetch('/hooks/backstage', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...signed(this.options.keys, body),
      },
      body,
    });
    if (!response.ok) throw await refusal(response);
    await response.body?.cancel();
  }

  private fetch(path: string, init: RequestInit): Promise<Response> {
    return fetch(`${this.options.url.replace(/\/+$/, '')}${path}`, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    });
  }

  private async authorization(): Promise<Record<string, string>> {
    const { auth, token: fixed } = this.options;
    const { token } = fixed
      ? { token: fixed }
      : await auth.getPluginRequestToken({
          onBehalfOf: await auth.getOwnServiceCredentials(),
          targetPluginId: 'nthlayer',
        });
    return { authorization: `Bearer ${token}` };
  }
}

async function refusal(response: Response): Promise<Error> {
  const text = (await response.text().catch(() => '')).slice(0, 300);
  return new Error(`the NthLayer daemon answered ${response.status}: ${text}`);
}

function checked(body: unknown): Record<string, Content> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Error('the answer of the NthLayer daemon is no snapshot');
  }
  return body as Record<string, Content>;
}
