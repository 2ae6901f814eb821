import type { Entity } from '@backstage/catalog-model';
import { describe, expect, it } from 'vitest';
import { withContent } from './merge';

function entity(metadata: Partial<Entity['metadata']> = {}): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: { name: 'shop', ...metadata },
  };
}

const SLUG = 'github.com/project-slug';
const TIER = 'sync.nthlayer.dev/tier';
const MANAGED = 'sync.nthlayer.dev/managed';
const WRITTEN = 'sync.nthlayer.dev/written';
const LINKS = 'sync.nthlayer.dev/links';
const GIVEN = {
  [TIER]: '2',
  [SLUG]: 'acme/shop',
  [MANAGED]: SLUG,
  [WRITTEN]: '0badcafe',
};

describe('what is added to an entity', () => {
  it('stands beside what is there', () => {
    const before = entity({ title: 'Shop', annotations: { 'acme/x': 'y' } });
    const { metadata } = withContent(before, { annotations: GIVEN });
    expect(metadata.annotations).toEqual({ 'acme/x': 'y', ...GIVEN });
    expect(metadata.title).toBe('Shop');
    expect(metadata.links).toBeUndefined();
    expect(before.metadata.annotations).toEqual({ 'acme/x': 'y' });
  });

  it('never replaces what people wrote, and claims nothing of it', () => {
    const before = entity({ annotations: { [SLUG]: 'people/own' } });
    const { metadata } = withContent(before, { annotations: GIVEN });
    expect(metadata.annotations).toEqual({
      [SLUG]: 'people/own',
      [TIER]: '2',
    });
  });

  it('keeps the records of what is in the catalog file', () => {
    const before = entity({
      annotations: {
        'grafana/dashboard-selector': 'x',
        [MANAGED]: 'grafana/dashboard-selector',
        [WRITTEN]: '12345678',
        [LINKS]: 'https://a',
        [TIER]: '1',
      },
      links: [{ url: 'https://a' }],
    });
    const content = { annotations: GIVEN, links: [{ url: 'https://b' }] };
    const { metadata } = withContent(before, content);
    expect(metadata.annotations).toMatchObject({
      [TIER]: '2',
      [MANAGED]: `${SLUG},grafana/dashboard-selector`,
      [WRITTEN]: '0badcafe,12345678',
      [LINKS]: 'https://a https://b',
    });
    expect(metadata.links).toEqual([{ url: 'https://a' }, { url: 'https://b' }]);
  });

  it('is nothing that Backstage itself goes by', () => {
    const annotations = {
      'backstage.io/managed-by-location': 'url:http://evil',
      'backstage.io/orphan': 'true',
      'evil.io/x': 'y',
      'sync.nthlayer.dev.evil/x': 'y',
      constructor: 'x',
    };
    expect(withContent(entity(), { annotations }).metadata.annotations).toEqual(
      {},
    );
  });

  it('is nothing of another shape', () => {
    const annotations = {
      [TIER]: 2,
      'sync.nthlayer.dev/slo': 'x'.repeat(10_001),
    } as unknown as Record<string, string>;
    expect(withContent(entity(), { annotations }).metadata.annotations).toEqual(
      {},
    );
  });

  it.each(['javascript:alert(1)', '/docs', 'https://a b', 'nothing', ''])(
    'is no link to %j',
    url => {
      const { metadata } = withContent(entity(), { links: [{ url }] });
      expect(metadata.links).toBeUndefined();
    },
  );

  it('is no link that is there already', () => {
    const links = [{ url: 'https://a', title: 'Ours' }];
    const before = entity({ links: [{ url: 'https://a', title: 'Theirs' }] });
    const { metadata } = withContent(before, { links });
    expect(metadata.links).toEqual([{ url: 'https://a', title: 'Theirs' }]);
    expect(metadata.annotations).toEqual({});
  });

  it('is the same when it is added twice', () => {
    const content = { annotations: GIVEN, links: [{ url: 'https://b' }] };
    const once = withContent(entity(), content);
    expect(withContent(once, content)).toEqual(once);
  });
});
