import type { LoggerService } from '@backstage/backend-plugin-api';
import type { Teller } from './Teller';

/** Milliseconds between two looks at what was processed and is not yet shown by the catalog, and for each entity of it. */
const PERIOD = 50;
const EACH = 1;
/**
 * Milliseconds of rest for each entity that was just told of, and at most: while a whole catalog comes in, few deliveries
 * are made, for each has the daemon look through the catalog.
 */
const REST = 50;
const LONGEST_REST = 5_000;
/** Milliseconds after which an entity is left to the comparison of everything. */
const PATIENCE = 10_000;
/** Entities that are looked at together, and that are remembered at most. */
const AT_ONCE = 300;
const MOST = 10_000;

/**
 * Has the daemon told of an entity as soon as the catalog shows it changed: from the moment it is processed, it is
 * looked at again and again until its etag is another. What goes wrong here is mended by the comparison of everything.
 */
export class Watch {
  private readonly since = new Map<string, number>();
  private running = false;
  private stopped = false;

  constructor(
    private readonly teller: Pick<Teller, 'tellSome'>,
    private readonly logger: LoggerService,
  ) {}

  /** An entity was processed, and came out otherwise than before. */
  touch(entityRef: string): void {
    if (this.stopped || this.since.size >= MOST) return;
    this.since.delete(entityRef); // so that it stands last
    this.since.set(entityRef, Date.now());
    if (!this.running) {
      this.running = true;
      void this.follow();
    }
  }

  stop(): void {
    this.stopped = true;
    this.since.clear();
  }

  private async follow(): Promise<void> {
    while (this.since.size) {
      // The latest first, so that what comes to nothing keeps nobody waiting.
      await pause(PERIOD + EACH * Math.min(this.since.size, AT_ONCE));
      const batch = [...this.since.keys()].slice(-AT_ONCE);
      try {
        const told = await this.teller.tellSome(batch);
        told.forEach(ref => this.since.delete(ref));
        await pause(Math.min(REST * told.length, LONGEST_REST));
      } catch (error) {
        this.logger.debug(`left to the comparison of everything: ${error}`);
        this.since.clear();
      }
      const now = Date.now();
      for (const [ref, since] of this.since) {
        if (now - since > PATIENCE) this.since.delete(ref);
      }
    }
    this.running = false;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}
