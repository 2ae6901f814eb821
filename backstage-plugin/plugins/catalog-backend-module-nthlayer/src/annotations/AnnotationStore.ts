import type { Knex } from 'knex';
import type { Content, Snapshot } from '../daemon';
import { inBatches } from '../database';

const BATCH = 200;

interface Row {
  entity_ref: string;
  content: string;
}

/**
 * The last good snapshot of the daemon, in the catalog's database: every replica sees the same one, and it is there
 * after a restart, with or without the daemon.
 */
export class AnnotationStore {
  constructor(private readonly knex: Knex) {}

  /** What is to stand on one entity. */
  async content(entityRef: string): Promise<Content | undefined> {
    const row = await this.knex<Row>('nthlayer_annotations')
      .where({ entity_ref: entityRef })
      .first('content');
    return row && JSON.parse(row.content);
  }

  /** The ETag of what is there, '' where nothing is. */
  async etag(): Promise<string> {
    const row = await this.knex('nthlayer_snapshot').where({ id: 1 }).first();
    return row?.etag ?? '';
  }

  /** Take a snapshot over; gives the entities whose content is another now. */
  async replace(snapshot: Snapshot): Promise<string[]> {
    return this.knex.transaction(async trx => {
      const rows = await trx<Row>('nthlayer_annotations').select();
      const known = new Map(rows.map(row => [row.entity_ref, row.content]));
      const changed: Row[] = [];
      for (const [entity_ref, content] of Object.entries(snapshot.entities)) {
        const text = JSON.stringify(content);
        if (known.get(entity_ref) !== text) {
          changed.push({ entity_ref, content: text });
        }
        known.delete(entity_ref);
      }
      const gone = [...known.keys()];
      for (const batch of inBatches(changed, BATCH)) {
        await trx<Row>('nthlayer_annotations')
          .insert(batch)
          .onConflict('entity_ref')
          .merge();
      }
      for (const batch of inBatches(gone, BATCH)) {
        await trx<Row>('nthlayer_annotations')
          .whereIn('entity_ref', batch)
          .delete();
      }
      await trx('nthlayer_snapshot')
        .insert({ id: 1, etag: snapshot.etag })
        .onConflict('id')
        .merge();
      return [...changed.map(row => row.entity_ref), ...gone];
    });
  }
}
