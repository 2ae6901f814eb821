import type { Entity, EntityLink } from '@backstage/catalog-model';
import type { Content } from '../daemon';

/** Under this prefix every key is NthLayer's. */
export const PREFIX = 'sync.nthlayer.dev/';
const MANAGED = `${PREFIX}managed`;
const WRITTEN = `${PREFIX}written`;
const LINKS = `${PREFIX}links`;
const RECORDS = new Set([MANAGED, WRITTEN, LINKS]);

/**
 * The keys outside our prefix that the daemon may set: those that other plugins show its results by. Any other is left
 * out, so that a daemon gone wrong cannot take an entity over by what Backstage itself reads from annotations.
 */
export const WELL_KNOWN: ReadonlySet<string> = new Set([
  'backstage.io/techdocs-ref',
  'github.com/project-slug',
  'grafana/dashboard-selector',
  'pagerduty.com/service-id',
  'prometheus.io/alert',
  'prometheus.io/labels',
  'prometheus.io/rule',
]);

/** Characters of a value, and links of an entity, beyond which it is left out. */
const LONGEST = 10_000;
const MOST_LINKS = 50;

/** The entity with what NthLayer made of it. What stands in its catalog file stays, except under our own prefix. */
export function withContent(entity: Entity, content: Content): Entity {
  const written = entity.metadata.annotations ?? {};
  const given = Object.fromEntries(
    Object.entries(content.annotations ?? {}).filter(
      ([key, value]) =>
        isOurs(key, written) &&
        typeof value === 'string' &&
        value.length <= LONGEST,
    ),
  );
  const links = newLinks(content, entity.metadata.links ?? []);
  return {
    ...entity,
    metadata: {
      ...entity.metadata,
      annotations: {
        ...written,
        ...given,
        ...records(written, content.annotations ?? {}, given, links),
      },
      ...(links.length && {
        links: [...(entity.metadata.links ?? []), ...links],
      }),
    },
  };
}

function isOurs(key: string, written: Record<string, string>): boolean {
  if (RECORDS.has(key)) return false;
  return key.startsWith(PREFIX) || (WELL_KNOWN.has(key) && !(key in written));
}

/**
 * By these the daemon knows its own words when it reads the catalog: the keys outside our prefix with a digest of what
 * it wrote there, and the addresses of links. They join what is recorded in the catalog file with what came here.
 */
function records(
  written: Record<string, string>,
  told: Record<string, string>,
  given: Record<string, string>,
  links: readonly EntityLink[],
): Record<string, string> {
  const digests = new Map([
    ...digestsIn(written).filter(([key]) => key in written),
    ...digestsIn(told).filter(([key]) => key in given),
  ]);
  const managed = [...digests.keys()].sort();
  const addresses = new Set([
    ...(written[LINKS] ?? '').split(' '),
    ...links.map(link => link.url),
  ]);
  const found = {
    [MANAGED]: managed.join(','),
    [WRITTEN]: managed.map(key => digests.get(key)).join(','),
    [LINKS]: [...addresses].filter(Boolean).sort().join(' '),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value));
}

function digestsIn(annotations: Record<string, string>): [string, string][] {
  const digests = (annotations[WRITTEN] ?? '').split(',');
  return (annotations[MANAGED] ?? '')
    .split(',')
    .map((key, index): [string, string] => [key, digests[index] ?? '']);
}

function newLinks(content: Content, theirs: readonly EntityLink[]) {
  const known = new Set(theirs.map(link => link.url));
  return (content.links ?? [])
    .slice(0, MOST_LINKS)
    .filter(link => isAddress(link.url) && !known.has(link.url));
}

/** Backstage refuses the whole entity for a link that is no address; and one that runs a script is none of ours. */
function isAddress(url: unknown): boolean {
  if (typeof url !== 'string' || /\s/.test(url) || !URL.canParse(url)) {
    return false;
  }
  return ['https:', 'http:'].includes(new URL(url).protocol);
}
