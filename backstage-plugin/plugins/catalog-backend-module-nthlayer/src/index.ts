/**
 * Shows what NthLayer made on the entities of the catalog, and tells NthLayer what changed in it.
 *
 * @packageDocumentation
 */
import { createBackendFeatureLoader } from '@backstage/backend-plugin-api';
import { catalogModuleNthlayer } from './catalogModule';
import { eventsModuleNthlayer } from './eventsModule';

export { catalogModuleNthlayer, eventsModuleNthlayer };

export default createBackendFeatureLoader({
  *loader() {
    yield catalogModuleNthlayer;
    yield eventsModuleNthlayer;
  },
});
