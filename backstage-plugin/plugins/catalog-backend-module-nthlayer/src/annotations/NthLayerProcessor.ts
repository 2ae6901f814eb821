import type { LoggerService } from '@backstage/backend-plugin-api';
import { type Entity, stringifyEntityRef } from '@backstage/catalog-model';
import type { LocationSpec } from '@backstage/plugin-catalog-common';
import {
  type CatalogProcessor,
  type CatalogProcessorEmit,
  processingResult,
} from '@backstage/plugin-catalog-node';
import type { AnnotationStore } from './AnnotationStore';
import { withContent } from './merge';

/** The key by which an entity is asked to be processed again. */
export function refreshKey(entityRef: string): string {
  return `nthlayer:${entityRef}`;
}

/**
 * Adds to each entity what NthLayer made of it. It never fails: an entity without our annotations is better than one
 * with an error.
 */
export class NthLayerProcessor implements CatalogProcessor {
  constructor(
    private readonly store: Pick<AnnotationStore, 'content'>,
    private readonly logger: LoggerService,
  ) {}

  getProcessorName() {
    return 'NthLayerProcessor';
  }

  async preProcessEntity(
    entity: Entity,
    _location: LocationSpec,
    emit: CatalogProcessorEmit,
  ): Promise<Entity> {
    try {
      const entityRef = stringifyEntityRef(entity);
      emit(processingResult.refresh(refreshKey(entityRef)));
      const content = await this.store.content(entityRef);
      return content ? withContent(entity, content) : entity;
    } catch (error) {
      this.logger.warn(`An entity goes without what NthLayer made: ${error}`);
      return entity;
    }
  }
}
