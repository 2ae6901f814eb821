import type { AuthService } from '@backstage/backend-plugin-api';
import { type Entity, stringifyEntityRef } from '@backstage/catalog-model';
import type { CatalogService } from '@backstage/plugin-catalog-node';
import { inBatches } from '../database';
import type { Row } from './ToldStore';

const FIELDS = [
  'kind',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'metadata.etag',
];
const PAGE = 1000;
/** References in one question: the catalog takes 100 kB. */
const NAMED = 300;

/** Which entities the catalog holds now, and in which state. */
export class CatalogReader {
  constructor(
    private readonly catalog: Pick<
      CatalogService,
      'queryEntities' | 'getEntitiesByRefs'
    >,
    private readonly auth: AuthService,
  ) {}

  /** All entities. */
  async all(): Promise<Row[]> {
    const credentials = await this.auth.getOwnServiceCredentials();
    const rows: Row[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.catalog.queryEntities(
        cursor
          ? { cursor, limit: PAGE, fields: FIELDS }
          : {
              limit: PAGE,
              fields: FIELDS,
              orderFields: { field: 'metadata.uid', order: 'asc' },
            },
        { credentials },
      );
      rows.push(...page.items.map(rowOf));
      cursor = page.pageInfo.nextCursor;
    } while (cursor);
    return rows;
  }

  /** Some entities; those that are not there are left out. */
  async named(entityRefs: readonly string[]): Promise<Row[]> {
    const credentials = await this.auth.getOwnServiceCredentials();
    const rows: Row[] = [];
    for (const batch of inBatches(entityRefs, NAMED)) {
      const { items } = await this.catalog.getEntitiesByRefs(
        { entityRefs: batch, fields: FIELDS },
        { credentials },
      );
      rows.push(...items.flatMap(item => (item ? [rowOf(item)] : [])));
    }
    return rows;
  }
}

function rowOf(entity: Entity): Row {
  return {
    entity_ref: stringifyEntityRef(entity),
    uid: entity.metadata.uid ?? '',
    etag: entity.metadata.etag ?? '',
  };
}
