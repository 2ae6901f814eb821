import { createApp } from '@backstage/frontend-defaults';
import { createFrontendModule } from '@backstage/frontend-plugin-api';
import { SignInPage } from '@backstage/core-components';
import { SignInPageBlueprint } from '@backstage/plugin-app-react';
import catalogPlugin from '@backstage/plugin-catalog/alpha';
import orgPlugin from '@backstage/plugin-org/alpha';
import techdocsPlugin from '@backstage/plugin-techdocs/alpha';
import nthlayerPlugin from '@nthlayer/backstage-plugin-nthlayer';

const signIn = createFrontendModule({
  pluginId: 'app',
  extensions: [
    SignInPageBlueprint.make({
      params: { loader: async () => props => <SignInPage {...props} providers={['guest']} /> },
    }),
  ],
});

export default createApp({ features: [catalogPlugin, orgPlugin, techdocsPlugin, nthlayerPlugin, signIn] });
