import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import {
  catalogProcessingExtensionPoint,
  catalogServiceRef,
} from '@backstage/plugin-catalog-node';
import { eventsServiceRef } from '@backstage/plugin-events-node';
import { AnnotationStore } from './annotations/AnnotationStore';
import { NthLayerProcessor } from './annotations/NthLayerProcessor';
import { Refresher } from './annotations/Refresher';
import { CatalogReader } from './changes/CatalogReader';
import { Teller } from './changes/Teller';
import { ToldStore } from './changes/ToldStore';
import { Watch } from './changes/Watch';
import { WatchProcessor } from './changes/WatchProcessor';
import { settingsOf, TOPIC } from './config';
import { Daemon } from './daemon';
import { openDatabase } from './database';

/** Shows on entities what NthLayer made, and tells it what changed in the catalog. */
export const catalogModuleNthlayer = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'nthlayer',
  register(reg) {
    reg.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        database: coreServices.database,
        events: eventsServiceRef,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        processing: catalogProcessingExtensionPoint,
        scheduler: coreServices.scheduler,
      },
      async init({ processing, scheduler, events, logger, ...services }) {
        const { keys, ...settings } = settingsOf(services.config);
        const knex = await openDatabase(services.database);
        const daemon = new Daemon({ ...settings, keys, auth: services.auth });

        const store = new AnnotationStore(knex);
        const refresher = new Refresher(daemon, store, logger);
        processing.addProcessor(new NthLayerProcessor(store, logger));
        processing.addEntityProvider(refresher);
        await scheduler.scheduleTask({
          id: 'nthlayer-annotations',
          ...settings.annotations,
          fn: () =>
            refresher.refresh().catch(error => {
              logger.warn(`What NthLayer made stays as it was: ${error}`);
            }),
        });
        if (!keys.length) return;

        await events.subscribe({
          id: 'nthlayer-annotations',
          topics: [TOPIC],
          onEvent: ({ eventPayload }) =>
            refresher.refreshTo(etagIn(eventPayload)),
        });
        const reader = new CatalogReader(services.catalog, services.auth);
        const teller = new Teller(reader, new ToldStore(knex), daemon, logger);
        const watch = new Watch(teller, logger);
        services.lifecycle.addShutdownHook(() => watch.stop());
        processing.addProcessor(new WatchProcessor(watch));
        await scheduler.scheduleTask({
          id: 'nthlayer-changes',
          ...settings.changes,
          fn: () => teller.tellAll(),
        });
      },
    });
  },
});

function etagIn(payload: unknown): string | undefined {
  const etag =
    typeof payload === 'object' && payload && 'etag' in payload
      ? payload.etag
      : undefined;
  return typeof etag === 'string' ? etag : undefined;
}
