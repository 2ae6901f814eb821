import { coreServices, createServiceFactory } from '@backstage/backend-plugin-api';
import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('the plugin', () => {
  let daemon: Server;
  let backstage: Awaited<ReturnType<typeof startTestBackend>>;
  let handle: Handler;
  let came: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  let denied: string;
  const authorize = vi.fn(async (asked: { permission: { name: string } }[]) =>
    asked.map(({ permission }) => ({
      result:
        permission.name === denied ? AuthorizeResult.DENY : AuthorizeResult.ALLOW,
    })),
  );

  const ask = (path: string, init: RequestInit = {}, user = mockCredentials.user.header()) =>
    fetch(`http://localhost:${backstage.server.port()}/api/nthlayer/v1/${path}`, {
      ...init,
      headers: { authorization: user, ...init.headers },
    });

  beforeEach(async () => {
    came = [];
    denied = '';
    handle = (_, response) => response.end('{}');
    daemon = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { method = '', url = '', headers } = request;
      came.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      handle(request, response);
    });
    daemon.listen(0, '127.0.0.1');
    await once(daemon, 'listening');
    const { port } = daemon.address() as AddressInfo;
    backstage = await startTestBackend({
      features: [
        import('.'),
        mockServices.rootConfig.factory({
          data: { nthlayer: { url: `http://127.0.0.1:${port}/below/` } },
        }),
        permissions(),
      ],
    });
  });
  afterEach(async () => {
    await backstage.stop();
    daemon.closeAllConnections();
    daemon.close();
  });

  function permissions() {
    return createServiceFactory({
      service: coreServices.permissions,
      deps: {},
      factory: () => ({ authorize, authorizeConditional: vi.fn() }),
    });
  }

  it('asks as the user, and passes on what is said', async () => {
    handle = (_, response) => {
      const headers = { 'content-type': 'application/json', etag: '"e"', 'set-cookie': 'x=y' };
      response.writeHead(200, headers).end('{"items":[]}');
    };
    const found = await ask('entities/component%3Adefault%2Fshop/may?limit=5&x=a%26b', {
      headers: { 'if-none-match': '"old"', cookie: 'secret', 'x-forwarded-for': '1.2.3.4' },
    });
    expect(await found.json()).toEqual({ items: [] });
    expect(found.headers.get('etag')).toBe('"e"');
    expect(found.headers.get('cache-control')).toContain('private');
    expect(found.headers.get('set-cookie')).toBeNull();
    const [{ url, headers }] = came;
    expect(url).toBe('/below/api/v1/entities/component%3Adefault%2Fshop/may?limit=5&x=a%26b');
    expect(headers['if-none-match']).toBe('"old"');
    expect(headers.cookie).toBeUndefined();
    expect(headers['x-forwarded-for']).toBeUndefined();
    expect(headers.authorization).toContain('Bearer mock-service-token');
    expect(headers.authorization).toContain('user:default/mock');
  });

  it('passes a command on, and its empty answer', async () => {
    handle = (_, response) => response.writeHead(204).end();
    const body = JSON.stringify({ entity: '*', reason: 'a freeze' });
    const done = await ask('pause', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
      body,
    });
    expect(done.status).toBe(204);
    expect(came[0]).toMatchObject({ method: 'POST', url: '/below/api/v1/pause', body });
    expect(came[0].headers['idempotency-key']).toBe('k');
  });

  it('says 304 where nothing changed', async () => {
    handle = (_, response) => response.writeHead(304, { etag: '"e"' }).end();
    const found = await ask('plans', { headers: { 'if-none-match': '"e"' } });
    expect([found.status, await found.text()]).toEqual([304, '']);
  });

  it.each([
    ['GET', 'plans', 'nthlayer.read'],
    ['POST', 'approve', 'nthlayer.approve'],
    ['POST', 'sync', 'nthlayer.operate'],
  ])('asks for nothing with %s %s without %s', async (method, path, permission) => {
    denied = permission;
    const found = await ask(path, { method });
    expect(found.status).toBe(403);
    expect((await found.json()).error.message).toContain(permission);
    expect(came).toEqual([]);
  });

  it.each([mockCredentials.none.header(), mockCredentials.service.header(), 'Bearer x'])(
    'asks for nobody but users: %s',
    async header => {
      const found = await ask('plans', {}, header ?? '');
      expect([401, 403]).toContain(found.status);
      expect(came).toEqual([]);
    },
  );

  it.each(['annotations', 'entities/%2e%2e/%2e%2e/%2e%2e/metrics', '../../metrics', 'plans//x'])(
    'knows nothing of %s',
    async path => {
      expect((await ask(path)).status).toBe(404);
      expect(came).toEqual([]);
    },
  );

  it('says what the daemon refused as an error of Backstage', async () => {
    const problem = { type: 'https://nthlayer.dev/problems/not-allowed', title: 'Not allowed', status: 403, detail: 'ada is a viewer' };
    handle = (_, response) =>
      response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    const found = await ask('sync', { method: 'POST' });
    expect(found.status).toBe(403);
    expect(found.headers.get('content-type')).toContain('application/json');
    expect(await found.json()).toMatchObject({
      ...problem,
      error: { name: 'NotAllowedError', message: 'ada is a viewer' },
      response: { statusCode: 403 },
    });
  });

  it.each([500, 502])('says what is no problem as well: %i', async status => {
    handle = (_, response) => response.writeHead(status).end('<html>');
    const found = await ask('plans');
    expect(found.status).toBe(status);
    expect((await found.json()).error.message).toBe(`NthLayer answered with ${status}`);
  });

  it('says that the daemon is away', async () => {
    daemon.closeAllConnections();
    daemon.close();
    const found = await ask('plans');
    expect(found.status).toBe(503);
    expect((await found.json()).error).toMatchObject({
      name: 'ServiceUnavailableError',
      message: expect.stringContaining('NthLayer cannot be reached'),
    });
  });

  it('does not follow the daemon elsewhere', async () => {
    handle = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    expect((await ask('plans')).status).toBe(503);
  });

  it('passes events on as they come, and leaves when the user does', async () => {
    let write: (text: string) => void = () => {};
    const closed = new Promise<void>(resolve => {
      handle = (_, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        write = text => response.write(text);
        response.on('close', resolve);
        write('id: 1\ndata: a\n\n');
      };
    });
    const leaving = new AbortController();
    const stream = await ask('events', {
      headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip', 'last-event-id': '0' },
      signal: leaving.signal,
    });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect(stream.headers.get('content-encoding')).toBeNull();
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe('id: 1\ndata: a\n\n');
    write('id: 2\ndata: b\n\n');
    expect((await reader.read()).value).toBe('id: 2\ndata: b\n\n');
    expect(came[0].headers['last-event-id']).toBe('0');
    leaving.abort();
    await closed;
  });
});
