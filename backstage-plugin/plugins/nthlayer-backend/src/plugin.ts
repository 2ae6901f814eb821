import {
  coreServices,
  createBackendPlugin,
} from '@backstage/backend-plugin-api';
import { nthlayerPermissions } from '@nthlayer/backstage-plugin-nthlayer-common';
import { createRouter } from './router';

/** Asks the NthLayer daemon on behalf of the signed-in user. */
export const nthlayerPlugin = createBackendPlugin({
  pluginId: 'nthlayer',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        config: coreServices.rootConfig,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
      },
      async init({ config, httpRouter, permissionsRegistry, ...services }) {
        permissionsRegistry.addPermissions(nthlayerPermissions);
        const url = config.getString('nthlayer.url');
        httpRouter.use(createRouter({ url, ...services }));
      },
    });
  },
});
