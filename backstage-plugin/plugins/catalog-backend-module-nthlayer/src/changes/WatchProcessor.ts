import { type Entity, stringifyEntityRef } from '@backstage/catalog-model';
import type { LocationSpec } from '@backstage/plugin-catalog-common';
import type {
  CatalogProcessor,
  CatalogProcessorCache,
  CatalogProcessorEmit,
} from '@backstage/plugin-catalog-node';
import { createHash } from 'node:crypto';
import type { Watch } from './Watch';

const KEY = 'digest';

/** Notices entities that come out of processing otherwise than the last time. It changes nothing of them. */
export class WatchProcessor implements CatalogProcessor {
  constructor(private readonly watch: Pick<Watch, 'touch'>) {}

  getProcessorName() {
    return 'NthLayerWatchProcessor';
  }

  async postProcessEntity(
    entity: Entity,
    _location: LocationSpec,
    _emit: CatalogProcessorEmit,
    cache: CatalogProcessorCache,
  ): Promise<Entity> {
    const digest = createHash('sha1')
      .update(JSON.stringify(entity))
      .digest('base64');
    if ((await cache.get<string>(KEY)) !== digest) {
      await cache.set(KEY, digest);
      this.watch.touch(stringifyEntityRef(entity));
    }
    return entity;
  }
}
