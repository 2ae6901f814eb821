import { mockServices } from '@backstage/backend-test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watch } from './Watch';

const logger = mockServices.rootLogger();

describe('what was processed', () => {
  let shown: Set<string>;
  let told: string[];
  let fails: boolean;
  let looks: number;
  let watch: Watch;

  beforeEach(() => {
    vi.useFakeTimers();
    shown = new Set();
    told = [];
    fails = false;
    looks = 0;
    watch = new Watch(
      {
        async tellSome(refs) {
          looks += 1;
          if (fails) throw new Error('away');
          const now = refs.filter(ref => shown.has(ref));
          told.push(...now);
          return now;
        },
      },
      logger,
    );
  });
  afterEach(() => vi.useRealTimers());

  it('is told of as soon as the catalog shows it, and then left alone', async () => {
    watch.touch('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(told).toEqual([]);
    shown.add('a');
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual(['a']);
    const before = looks;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(before);
  });

  it('does not wait for what comes to nothing', async () => {
    for (let i = 0; i < 1_000; i++) watch.touch(`idle-${i}`);
    await vi.advanceTimersByTimeAsync(100);
    shown.add('a');
    watch.touch('a');
    await vi.advanceTimersByTimeAsync(500);
    expect(told).toEqual(['a']);
    await vi.advanceTimersByTimeAsync(20_000);
    const before = looks;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(before);
  });

  it('is left to the comparison of everything when the daemon is away, and watched again later', async () => {
    fails = true;
    shown.add('a').add('b');
    watch.touch('a');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([looks, told]).toEqual([1, []]);
    fails = false;
    watch.touch('b');
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toEqual(['b']);
  });

  it('is told of in few deliveries while a whole catalog comes in', async () => {
    for (let i = 0; i < 1_000; i++) {
      shown.add(`${i}`);
      watch.touch(`${i}`);
    }
    await vi.advanceTimersByTimeAsync(9_000);
    expect(looks).toBeLessThanOrEqual(3);
    expect(told.length).toBeGreaterThanOrEqual(300);
  });

  it('is not watched after the end', async () => {
    watch.touch('a');
    watch.stop();
    watch.touch('b');
    shown.add('a').add('b');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([]);
  });
});
