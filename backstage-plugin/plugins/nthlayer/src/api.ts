import { ApiBlueprint, createApiRef, discoveryApiRef, fetchApiRef } from '@backstage/frontend-plugin-api';
import { NthlayerClient, type NthlayerApi } from '@nthlayer/backstage-plugin-nthlayer-common';

/** How the pages ask NthLayer. */
export const nthlayerApiRef = createApiRef<NthlayerApi>({ id: 'plugin.nthlayer.api' });

export const nthlayerApi = ApiBlueprint.make({
  params: defineParams =>
    defineParams({
      api: nthlayerApiRef,
      deps: { discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
      factory: way => new NthlayerClient(way),
    }),
});
