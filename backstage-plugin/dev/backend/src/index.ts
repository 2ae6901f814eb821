/** The Backstage that tests and developers run: the parts of an ordinary one, and ours. */
import { createBackend } from '@backstage/backend-defaults';

const backend = createBackend();
backend.add(import('@backstage/plugin-auth-backend'));
backend.add(import('@backstage/plugin-auth-backend-module-guest-provider'));
backend.add(import('@backstage/plugin-catalog-backend'));
backend.add(import('@backstage/plugin-events-backend'));
backend.add(import('@backstage/plugin-permission-backend'));
backend.add(import('./policy'));
backend.add(import('@nthlayer/backstage-plugin-catalog-backend-module-nthlayer'));
backend.add(import('@nthlayer/backstage-plugin-nthlayer-backend'));
if (process.env.TECHDOCS) {
  backend.add(import('@backstage/plugin-techdocs-backend'));
}
if (process.env.APP) {
  backend.add(import('@backstage/plugin-app-backend'));
}
backend.start();
