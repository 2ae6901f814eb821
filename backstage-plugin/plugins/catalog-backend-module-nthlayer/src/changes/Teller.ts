import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Daemon } from '../daemon';
import { inBatches } from '../database';
import type { CatalogReader } from './CatalogReader';
import type { Row, ToldStore } from './ToldStore';

/** Entities in one delivery. */
const BATCH = 1000;
/** Milliseconds after which an unreachable daemon is told again: doubled each time, up to the last. */
const FIRST = 5_000;
const LAST = 300_000;

/**
 * Tells the daemon what changed in the catalog, at least once: what it was told is written down only after it said yes.
 *
 * Backstage has no events of created, changed and deleted entities, so the catalog is compared with what was told.
 */
export class Teller {
  private failures = 0;
  private notBefore = 0;

  constructor(
    private readonly catalog: Pick<CatalogReader, 'all' | 'named'>,
    private readonly told: ToldStore,
    private readonly daemon: Pick<Daemon, 'tell'>,
    private readonly logger: LoggerService,
    private readonly now: () => number = Date.now,
  ) {}

  /** Compare everything. After failures it rests for longer and longer. */
  async tellAll(): Promise<void> {
    if (this.now() < this.notBefore) return;
    try {
      const rows = await this.catalog.all();
      const told = await this.told.rows();
      const changed = changedOf(rows, told);
      const there = new Set(rows.map(row => row.entity_ref));
      const gone = [...told.keys()].filter(ref => !there.has(ref));
      await this.tell(changed, gone);
      this.failures = 0;
    } catch (error) {
      const rest = Math.min(FIRST * 2 ** this.failures, LAST);
      this.failures += 1;
      this.notBefore = this.now() + rest;
      this.logger.warn(
        `NthLayer could not be told what changed; again in ${rest / 1000} s: ${error}`,
      );
    }
  }

  /** Compare some entities that are there; gives those that changed and were told of. */
  async tellSome(entityRefs: readonly string[]): Promise<string[]> {
    const rows = await this.catalog.named(entityRefs);
    const changed = changedOf(rows, await this.told.rows(entityRefs));
    await this.tell(changed, []);
    return changed.map(row => row.entity_ref);
  }

  private async tell(changed: readonly Row[], gone: readonly string[]) {
    for (const batch of inBatches(changed, BATCH)) {
      await this.daemon.tell(batch.map(row => row.entity_ref));
      await this.told.advance(batch, []);
    }
    for (const batch of inBatches(gone, BATCH)) {
      await this.daemon.tell(batch);
      await this.told.advance([], batch);
    }
    if (changed.length || gone.length) {
      this.logger.debug(
        `NthLayer was told of ${changed.length} changed and ${gone.length} deleted entities`,
      );
    }
  }
}

function changedOf(rows: readonly Row[], told: Map<string, Row>): Row[] {
  return rows.filter(row => {
    const before = told.get(row.entity_ref);
    return before?.uid !== row.uid || before?.etag !== row.etag;
  });
}
