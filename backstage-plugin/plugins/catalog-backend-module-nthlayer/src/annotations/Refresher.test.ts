import { mockServices } from '@backstage/backend-test-utils';
import type { Entity } from '@backstage/catalog-model';
import {
  afterEach,
  beforeEach,
  describe,
  expect,
  it,
  type Mock,
  vi,
} from 'vitest';
import { Daemon } from '../daemon';
import { type Answer, type Came, emptyDatabase, serve } from '../trial';
import { AnnotationStore } from './AnnotationStore';
import { NthLayerProcessor } from './NthLayerProcessor';
import { Refresher } from './Refresher';

const logger = mockServices.rootLogger();
const KEY = 'sync.nthlayer.dev/tier';
const noted = (tier: string) => ({ annotations: { [KEY]: tier } });
const REF = 'component:default/shop';

describe('what the daemon made', () => {
  let came: Came[];
  let answer: (came: Came) => Answer | Promise<Answer>;
  let daemon: Daemon;
  let close: () => Promise<void>;
  let store: AnnotationStore;
  let refresher: Refresher;
  let refresh: Mock<(options: { keys: string[] }) => Promise<void>>;

  function says(entities: object, etag: string) {
    answer = ({ headers }) =>
      headers['if-none-match'] === etag
        ? { status: 304 }
        : { status: 200, headers: { etag }, body: JSON.stringify(entities) };
  }

  async function processed() {
    const shop = { kind: 'Component', metadata: { name: 'shop' } } as Entity;
    const processor = new NthLayerProcessor(store, logger);
    const emit = vi.fn();
    const location = { type: 'url', target: 'https://x' };
    const after = await processor.preProcessEntity(shop, location, emit);
    expect(emit).toHaveBeenCalledWith({ type: 'refresh', key: `nthlayer:${REF}` });
    return after.metadata.annotations?.[KEY];
  }

  beforeEach(async () => {
    came = [];
    const server = await serve(request => {
      came.push(request);
      return answer(request);
    });
    close = server.close;
    daemon = new Daemon({
      url: `${server.url}/`,
      keys: [],
      auth: mockServices.auth(),
    });
    store = new AnnotationStore(await emptyDatabase());
    refresher = new Refresher(daemon, store, logger);
    refresh = vi.fn(async () => undefined);
    await refresher.connect({ refresh, applyMutation: vi.fn() });
  });
  afterEach(() => close());

  it('stands on the entity, and only what is new is processed again', async () => {
    says({ [REF]: noted('2'), 'component:default/cart': noted('3') }, '"a"');
    await refresher.refresh();
    expect(await processed()).toBe('2');
    expect(refresh.mock.calls.flatMap(([{ keys }]) => keys).sort()).toEqual([
      'nthlayer:component:default/cart',
      `nthlayer:${REF}`,
    ]);
    expect(came[0].headers.authorization).toMatch(/^Bearer /);

    says({ [REF]: noted('1'), 'component:default/cart': noted('3') }, '"b"');
    await refresher.refresh();
    expect(await processed()).toBe('1');
    expect(refresh).toHaveBeenLastCalledWith({ keys: [`nthlayer:${REF}`] });

    says({ 'component:default/cart': noted('3') }, '"c"');
    await refresher.refresh();
    expect(await processed()).toBeUndefined();
    expect(refresh).toHaveBeenLastCalledWith({ keys: [`nthlayer:${REF}`] });
  });

  it('is not fetched again while it is the same', async () => {
    says({ [REF]: noted('2') }, '"a"');
    await refresher.refresh();
    await refresher.refresh();
    expect(came[1].headers['if-none-match']).toBe('"a"');
    expect(refresh).toHaveBeenCalledTimes(1);
    expect(await processed()).toBe('2');
  });

  it.each([
    ['is refused', { status: 503, body: 'no source has been read yet' }],
    ['is none', { status: 200, body: '[]' }],
    ['is no JSON', { status: 200, body: '<html>' }],
    ['leads elsewhere', { status: 302, headers: { location: 'http://x' } }],
  ])('stays as it was when the answer %s', async (_, bad: Answer) => {
    says({ [REF]: noted('2') }, '"a"');
    await refresher.refresh();
    answer = () => bad;
    await expect(refresher.refresh()).rejects.toThrow();
    expect(await processed()).toBe('2');
  });

  it('is there after a restart without the daemon', async () => {
    says({ [REF]: noted('2') }, '"a"');
    await refresher.refresh();
    await close();
    const later = new Refresher(daemon, store, logger);
    await expect(later.refresh()).rejects.toThrow();
    expect(await processed()).toBe('2');
  });

  it('is fetched once for many who ask, and once more for those who came late', async () => {
    let open = () => {};
    const gate = new Promise<void>(resolve => {
      open = resolve;
    });
    answer = async () => {
      await gate;
      return { status: 200, headers: { etag: '"a"' }, body: '{}' };
    };
    const all = Promise.all([1, 2, 3, 4, 5].map(() => refresher.refresh()));
    open();
    await all;
    expect(came).toHaveLength(2);
  });

  it('is asked for until it is what was told of', async () => {
    says({}, '"old"');
    answer = () => {
      const etag = came.length < 3 ? '"old"' : '"new"';
      return { status: 200, headers: { etag }, body: '{}' };
    };
    await refresher.refreshTo('"new"');
    expect(came).toHaveLength(3);
  });

  it('never keeps an entity from being processed', async () => {
    const broken = { content: () => Promise.reject(new Error('no database')) };
    const processor = new NthLayerProcessor(broken, logger);
    const shop = { kind: 'Component', metadata: { name: 'shop' } } as Entity;
    const location = { type: 'url', target: 'https://x' };
    expect(await processor.preProcessEntity(shop, location, vi.fn())).toBe(shop);
  });

  it('is taken over for 10,000 entities in a second or two', async () => {
    const entities = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [
        `component:default/s${i}`,
        noted(`${i % 4}`),
      ]),
    );
    const changed = await store.replace({ etag: '"a"', entities });
    expect(changed).toHaveLength(10_000);
    const begun = Date.now();
    expect(await store.replace({ etag: '"b"', entities })).toEqual([]);
    expect(Date.now() - begun).toBeLessThan(1_000);
  });
});
