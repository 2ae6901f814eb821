import { mockServices } from '@backstage/backend-test-utils';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyDatabase } from '../trial';
import { Teller } from './Teller';
import { type Row, ToldStore } from './ToldStore';

const logger = mockServices.rootLogger();
const row = (name: string, etag = '1', uid = name): Row => ({
  entity_ref: `component:default/${name}`,
  uid,
  etag,
});

describe('what the daemon is told', () => {
  let rows: Row[];
  let told: string[][];
  let fails: boolean;
  let now: number;
  let teller: Teller;
  let store: ToldStore;

  const daemon = {
    async tell(refs: readonly string[]) {
      if (fails) throw new Error('away');
      told.push(refs.map(ref => ref.split('/')[1]));
    },
  };
  const catalog = {
    all: async () => rows,
    named: async (refs: readonly string[]) =>
      rows.filter(each => refs.includes(each.entity_ref)),
  };

  beforeEach(async () => {
    rows = [row('a'), row('b')];
    told = [];
    fails = false;
    now = 0;
    store = new ToldStore(await emptyDatabase());
    teller = new Teller(catalog, store, daemon, logger, () => now);
  });

  it('is what was made, changed, made anew and deleted, and nothing else', async () => {
    await teller.tellAll();
    await teller.tellAll();
    expect(told).toEqual([['a', 'b']]);
    rows = [row('a', '2'), row('c')];
    await teller.tellAll();
    expect(told.slice(1)).toEqual([['a', 'c'], ['b']]);
    rows = [row('a', '2', 'other'), row('c')];
    await teller.tellAll();
    expect(told.slice(3)).toEqual([['a']]);
  });

  it('is told again until the daemon says yes, and at longer and longer intervals', async () => {
    fails = true;
    for (const [at, rest] of [
      [0, 5],
      [5, 10],
      [15, 20],
    ]) {
      now = at * 1000;
      await teller.tellAll();
      now = (at + rest) * 1000 - 1;
      fails = false;
      await teller.tellAll();
      expect(told).toEqual([]);
      fails = true;
    }
    now = 35_000;
    fails = false;
    await teller.tellAll();
    expect(told).toEqual([['a', 'b']]);
  });

  it('is told by whoever comes next where one breaks off between two deliveries', async () => {
    rows = Array.from({ length: 1_001 }, (_, i) => row(`s${i}`));
    const tell = daemon.tell;
    const once = {
      async tell(refs: readonly string[]) {
        if (told.length) throw new Error('away');
        await tell(refs);
      },
    };
    await new Teller(catalog, store, once, logger).tellAll();
    expect(told).toHaveLength(1);
    await teller.tellAll();
    expect(told[1]).toEqual(['s1000']);
  });

  it('can be some entities alone', async () => {
    await teller.tellAll();
    rows = [row('a', '2'), row('b', '2')];
    expect(await teller.tellSome(['component:default/a'])).toEqual([
      'component:default/a',
    ]);
    expect(await teller.tellSome(['component:default/a'])).toEqual([]);
    await teller.tellAll();
    expect(told.slice(1)).toEqual([['a'], ['b']]);
  });
});
