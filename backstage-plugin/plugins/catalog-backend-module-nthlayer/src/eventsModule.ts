import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { eventsExtensionPoint } from '@backstage/plugin-events-node/alpha';
import { settingsOf, TOPIC } from './config';
import { isSigned } from './signature';

/** Takes the daemon's events at `/api/events/http/nthlayer`, if they are signed. Without a secret it takes none. */
export const eventsModuleNthlayer = createBackendModule({
  pluginId: 'events',
  moduleId: 'nthlayer',
  register(reg) {
    reg.registerInit({
      deps: { config: coreServices.rootConfig, events: eventsExtensionPoint },
      async init({ config, events }) {
        const { keys } = settingsOf(config);
        if (!keys.length) return;
        events.addHttpPostIngress({
          topic: TOPIC,
          validator: async (request, context) => {
            if (!isSigned(keys, request.headers, request.raw.body)) {
              context.reject({
                status: 403,
                payload: { message: 'the signature does not fit' },
              });
            }
          },
        });
      },
    });
  },
});
