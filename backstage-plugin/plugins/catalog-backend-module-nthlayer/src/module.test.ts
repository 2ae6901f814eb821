import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { schedulerServiceFactory } from '@backstage/backend-defaults/scheduler';
import { createBackendModule } from '@backstage/backend-plugin-api';
import {
  catalogProcessingExtensionPoint,
  type EntityProviderConnection,
} from '@backstage/plugin-catalog-node';
import { eventsServiceFactory } from '@backstage/plugin-events-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import nthlayer from '.';
import { isSigned, keysOf, signed } from './signature';
import { type Came, serve, until } from './trial';

const SECRET = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;
const TIER = 'sync.nthlayer.dev/tier';
const REF = 'component:default/shop';

/** Gives the catalog its only entity. */
class Shop {
  connection?: EntityProviderConnection;

  getProviderName() {
    return 'shop';
  }

  async connect(connection: EntityProviderConnection) {
    this.connection = connection;
    await this.show('Shop');
  }

  async show(...titles: string[]) {
    await this.connection?.applyMutation({
      type: 'full',
      entities: titles.map(title => ({
        entity: {
          apiVersion: 'backstage.io/v1alpha1',
          kind: 'Component',
          metadata: {
            name: 'shop',
            title,
            annotations: {
              'backstage.io/managed-by-location': 'url:http://x',
              'backstage.io/managed-by-origin-location': 'url:http://x',
            },
          },
          spec: { type: 'service', lifecycle: 'production', owner: 'team' },
        },
      })),
    });
  }
}

describe('the module in a Backstage', () => {
  let shop: Shop;
  let tier: string;
  let told: Came[];
  let daemon: Awaited<ReturnType<typeof serve>>;
  let backstage: Awaited<ReturnType<typeof startTestBackend>>;
  let base: string;

  const entity = async () => {
    const found = await fetch(
      `${base}/api/catalog/entities/by-name/component/default/shop`,
      { headers: { authorization: mockCredentials.service.header() } },
    );
    return found.ok ? found.json() : undefined;
  };
  /** How often the daemon was told, once there is nothing to be told. */
  const quiet = () =>
    until(async () => {
      const { length } = told;
      await new Promise(resolve => setTimeout(resolve, 1_500));
      return told.length === length && length;
    });
  const post = (body: string, headers: Record<string, string>) =>
    fetch(`${base}/api/events/http/nthlayer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  beforeEach(async () => {
    shop = new Shop();
    tier = '1';
    told = [];
    daemon = await serve(came => {
      if (came.path === '/hooks/backstage') {
        told.push(came);
        return { status: 202 };
      }
      const body = JSON.stringify({ [REF]: { annotations: { [TIER]: tier } } });
      return { status: 200, headers: { etag: `"${tier}"` }, body };
    });
    backstage = await startTestBackend({
      features: [
        import('@backstage/plugin-catalog-backend'),
        import('@backstage/plugin-events-backend'),
        import('.'),
        createBackendModule({
          pluginId: 'catalog',
          moduleId: 'shop',
          register(reg) {
            reg.registerInit({
              deps: { processing: catalogProcessingExtensionPoint },
              async init({ processing }) {
                processing.addEntityProvider(shop);
              },
            });
          },
        }),
        mockServices.rootConfig.factory({
          data: {
            backend: {
              baseUrl: 'http://localhost:0',
              database: { client: 'better-sqlite3', connection: ':memory:' },
            },
            events: { useEventBus: 'never' },
            nthlayer: {
              url: daemon.url,
              token: 'of-the-daemon',
              webhook: { secret: SECRET },
              changes: { every: { milliseconds: 500 } },
            },
          },
        }),
        eventsServiceFactory,
        schedulerServiceFactory,
      ],
    });
    base = `http://localhost:${backstage.server.port()}`;
  });
  afterEach(async () => {
    await backstage.stop();
    await daemon.close();
  });

  it('is one feature', () => expect(nthlayer).toBeDefined());

  it('shows what is new after a signed event, and tells what changed', async () => {
    await until(async () => (await entity())?.metadata.annotations[TIER] === '1');

    tier = '2';
    const body = JSON.stringify({ entityRefs: [REF], etag: '"2"' });
    expect((await post(body, {})).status).toBe(403);
    expect((await post(body, signed(keysOf(SECRET), `${body} `))).status).toBe(403);
    const old = signed(keysOf(SECRET), body, 'x', Date.now() - 301_000);
    expect((await post(body, old)).status).toBe(403);
    expect((await entity()).metadata.annotations[TIER]).toBe('1');
    expect((await post(body, signed(keysOf(SECRET), body))).status).toBe(202);
    await until(async () => (await entity()).metadata.annotations[TIER] === '2', 5);

    const before = await quiet();
    await shop.show('Another');
    const { headers, body: sent } = await until(async () => told[before]);
    expect(isSigned(keysOf(SECRET), headers, sent)).toBe(true);
    expect(isSigned(keysOf(SECRET), headers, Buffer.from(`${sent} `))).toBe(false);
    expect(JSON.parse(sent.toString())).toEqual({ entityRefs: [REF] });
    expect((await entity()).metadata.title).toBe('Another');

    const then = await quiet();
    await shop.show();
    await until(async () => told.length > then);
    expect(await entity()).toBeUndefined();
  });
});
