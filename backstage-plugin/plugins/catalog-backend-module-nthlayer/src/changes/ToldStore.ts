import type { Knex } from 'knex';
import { inBatches } from '../database';

const BATCH = 200;

/** An entity as it stood in the catalog: `uid` is another when it is made anew, `etag` when anything of it changes. */
export interface Row {
  entity_ref: string;
  uid: string;
  etag: string;
}

/** What the daemon was told of, in the catalog's database. */
export class ToldStore {
  constructor(private readonly knex: Knex) {}

  /** The entities that it was told of; some alone, if named. */
  async rows(entityRefs?: readonly string[]): Promise<Map<string, Row>> {
    const rows: Row[] = [];
    if (!entityRefs) {
      rows.push(...(await this.table(this.knex)));
    } else {
      for (const batch of inBatches(entityRefs, BATCH)) {
        rows.push(
          ...(await this.table(this.knex).whereIn('entity_ref', batch)),
        );
      }
    }
    return new Map(rows.map(row => [row.entity_ref, row]));
  }

  /** It was told of these as they stand now, and that some are gone. */
  async advance(now: readonly Row[], gone: readonly string[]): Promise<void> {
    await this.knex.transaction(async trx => {
      for (const batch of inBatches(now, BATCH)) {
        await this.table(trx).insert(batch).onConflict('entity_ref').merge();
      }
      for (const batch of inBatches(gone, BATCH)) {
        await this.table(trx).whereIn('entity_ref', batch).delete();
      }
    });
  }

  private table(knex: Knex) {
    return knex<Row>('nthlayer_told');
  }
}
