import type { LoggerService } from '@backstage/backend-plugin-api';
import type {
  EntityProvider,
  EntityProviderConnection,
} from '@backstage/plugin-catalog-node';
import type { Daemon } from '../daemon';
import { inBatches } from '../database';
import type { AnnotationStore } from './AnnotationStore';
import { refreshKey } from './NthLayerProcessor';

const BATCH = 500;
/** Milliseconds until a replica of the daemon is asked again that did not yet know what we were told of. */
const AGAIN = 500;
const TRIES = 6;

/**
 * Fetches the daemon's snapshot, and has the catalog process the entities of which it says something new.
 *
 * It is a provider that gives no entities: providers alone may ask for that.
 */
export class Refresher implements EntityProvider {
  private connection?: EntityProviderConnection;
  private running?: Promise<void>;
  private next?: Promise<void>;

  constructor(
    private readonly daemon: Pick<Daemon, 'snapshot'>,
    private readonly store: AnnotationStore,
    private readonly logger: LoggerService,
  ) {}

  getProviderName() {
    return 'nthlayer';
  }

  async connect(connection: EntityProviderConnection): Promise<void> {
    this.connection = connection;
  }

  /** Fetch now. Who asks while that goes on gets one that begins afterwards, together with all others who asked. */
  refresh(): Promise<void> {
    if (!this.running) {
      this.running = this.fetch().finally(() => {
        this.running = undefined;
      });
      return this.running;
    }
    this.next ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.refresh();
      });
    return this.next;
  }

  /** Fetch until it is what the daemon told of by its ETag, since another replica of it may answer, a moment behind. */
  async refreshTo(etag: string | undefined): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.refresh();
      if (!etag || tries === TRIES || (await this.store.etag()) === etag) return;
      await new Promise(resolve => setTimeout(resolve, AGAIN));
    }
  }

  private async fetch(): Promise<void> {
    const snapshot = await this.daemon.snapshot(await this.store.etag());
    if (!snapshot) return;
    const changed = await this.store.replace(snapshot);
    for (const batch of inBatches(changed, BATCH)) {
      await this.connection?.refresh({ keys: batch.map(refreshKey) });
    }
    if (changed.length) {
      this.logger.info(`NthLayer says something new of ${changed.length} entities`);
    }
  }
}
