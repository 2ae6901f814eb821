import type { Graph } from '@nthlayer/backstage-plugin-nthlayer-common';
import { describe, expect, it } from 'vitest';
import { around, BOX, layOut } from './layout';

const node = (ref: string) => ({ ref, name: ref, kind: 'component', tier: '', owner: null, known: true });
const edge = (source: string, target: string, relation = 'dependsOn') => ({
  source,
  relation,
  target,
  origins: ['git'],
  confidence: 1,
});

const GRAPH: Graph = {
  nodes: ['web', 'shop', 'api', 'db', 'queue', 'other'].map(node),
  edges: [
    edge('web', 'api', 'consumesApi'),
    edge('shop', 'api', 'providesApi'),
    edge('shop', 'db'),
    edge('shop', 'queue'),
    edge('db', 'queue'),
    edge('other', 'db'),
  ],
};

describe('the layout of the graph', () => {
  const seen = around(GRAPH, 'shop');
  const { nodes, edges, width, height } = layOut(seen, 'shop');
  const x = Object.fromEntries(nodes.map(each => [each.ref, each.x]));

  it('leaves out what only shares a dependency', () => {
    expect(seen.nodes.map(each => each.ref)).toEqual(['web', 'shop', 'api', 'db', 'queue']);
    expect(edges).toHaveLength(5);
  });

  it('has who needs it to the left, through the API that it provides, and what it needs to the right', () => {
    expect(x.web).toBeLessThan(x.api);
    expect(x.api).toBeLessThan(x.shop);
    expect(x.shop).toBeLessThan(x.db);
    expect(x.db).toBe(x.queue);
  });

  it('lets no boxes overlap, and none leave the picture', () => {
    for (const a of nodes) {
      expect(a.x - BOX.width / 2).toBeGreaterThanOrEqual(0);
      expect(a.x + BOX.width / 2).toBeLessThanOrEqual(width);
      expect(a.y - BOX.height / 2).toBeGreaterThanOrEqual(0);
      expect(a.y + BOX.height / 2).toBeLessThanOrEqual(height);
      for (const b of nodes) {
        if (a.ref < b.ref && a.x === b.x) expect(Math.abs(a.y - b.y)).toBeGreaterThanOrEqual(BOX.height);
      }
    }
  });

  it('is the same each time, and ends with loops', () => {
    const loop: Graph = { nodes: ['a', 'b', 'c'].map(node), edges: [edge('a', 'b'), edge('b', 'c'), edge('c', 'a')] };
    expect(layOut(around(loop, 'a'), 'a')).toEqual(layOut(around(loop, 'a'), 'a'));
    expect(layOut(loop, 'a').nodes.every(each => Number.isFinite(each.x) && Number.isFinite(each.y))).toBe(true);
  });
});
