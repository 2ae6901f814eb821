import {
  type DatabaseService,
  resolvePackagePath,
} from '@backstage/backend-plugin-api';
import type { Knex } from 'knex';

/**
 * The catalog's database, with our tables in it. Their history has a table of its own: that of the catalog knows
 * nothing of our migrations and would refuse them.
 */
export async function openDatabase(database: DatabaseService): Promise<Knex> {
  const knex = await database.getClient();
  if (!database.migrations?.skip) {
    await knex.migrate.latest({
      directory: resolvePackagePath(
        '@nthlayer/backstage-plugin-catalog-backend-module-nthlayer',
        'migrations',
      ),
      tableName: 'nthlayer_knex_migrations',
    });
  }
  return knex;
}

/** Splits a list, for what a database or an address takes at once. */
export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = [];
  for (let first = 0; first < items.length; first += size) {
    batches.push(items.slice(first, first + size));
  }
  return batches;
}
