import { describe, expect, it } from 'vitest';
import { NthlayerClient } from './client';
import { NthlayerError } from './errors';

/** A client whose requests are kept, and answered as said. */
function asking(answer: () => Response | Promise<Response>) {
  const asked: [string, RequestInit | undefined][] = [];
  const client = new NthlayerClient({
    discoveryApi: { getBaseUrl: async plugin => `http://backstage/api/${plugin}` },
    fetchApi: {
      fetch: async (input, init) => {
        asked.push([String(input), init]);
        return answer();
      },
    },
  });
  return { client, asked };
}

async function failing(answer: () => Response | Promise<Response>): Promise<NthlayerError> {
  const thrown: unknown = await asking(answer).client.look('/api/v1/status').catch((error: unknown) => error);
  if (!(thrown instanceof NthlayerError)) throw new Error('it did not fail as it should');
  return thrown;
}

describe('the client', () => {
  it('asks through the plugin of the backend, with everything in its place', async () => {
    const { client, asked } = asking(() => Response.json({ leaves: [] }));
    await client.look('/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/why', {
      path: { ref: 'component:default/a b', plugin: 'kubernetes', kind: 'hpa' },
      query: { name: 'x/y' },
    });
    expect(asked[0][0]).toBe(
      'http://backstage/api/nthlayer/v1/entities/component%3Adefault%2Fa%20b/artefacts/kubernetes/hpa/why?name=x%2Fy',
    );
  });

  it('leaves out what is not asked for, and repeats what has several values', async () => {
    const { client, asked } = asking(() => Response.json({ nodes: [], edges: [] }));
    await client.look('/api/v1/graph', { query: { around: '', depth: 2, relation: ['dependsOn', 'partOf'] } });
    expect(asked[0][0]).toBe('http://backstage/api/nthlayer/v1/graph?depth=2&relation=dependsOn&relation=partOf');
  });

  it('sends commands', async () => {
    const { client, asked } = asking(() => new Response(null, { status: 204 }));
    await client.ask('/api/v1/resume', { entity: '*' }, 'once');
    const [url, init] = asked[0];
    expect(url).toBe('http://backstage/api/nthlayer/v1/resume');
    expect(init).toMatchObject({ method: 'POST', body: '{"entity":"*"}', headers: { 'Idempotency-Key': 'once' } });
  });

  it('says what the daemon says', async () => {
    const problem = { type: 'x', title: 'Conflict', status: 409, detail: 'it is not paused' };
    const error = await failing(() => Response.json(problem, { status: 409 }));
    expect(error).toMatchObject({ trouble: 'refused', status: 409, message: 'it is not paused', problem });
  });

  it.each([
    [401, 'denied'],
    [403, 'denied'],
    [404, 'missing'],
    [422, 'refused'],
    [429, 'away'],
    [500, 'broken'],
    [503, 'away'],
  ])('says what Backstage says: %i', async (status, trouble) => {
    const body = { error: { name: 'Error', message: 'so it is' }, response: { statusCode: status } };
    expect(await failing(() => Response.json(body, { status }))).toMatchObject({ trouble, status, message: 'so it is' });
  });

  it('says something where nobody does', async () => {
    const error = await failing(() => new Response('<html>', { status: 502 }));
    expect(error).toMatchObject({ trouble: 'away', message: 'NthLayer answered with 502' });
  });

  it('says that a request did not get through', async () => {
    const error = await failing(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(error).toMatchObject({ trouble: 'away', message: 'NthLayer cannot be reached: Failed to fetch' });
  });
});
