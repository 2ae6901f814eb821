import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import type {
  PermissionPolicy,
  PolicyQuery,
} from '@backstage/plugin-permission-node';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';

/** Allows everything but the permissions that `dev.denied` names. */
class DevPolicy implements PermissionPolicy {
  constructor(private readonly denied: readonly string[]) {}

  async handle({ permission }: PolicyQuery) {
    const result = this.denied.includes(permission.name)
      ? AuthorizeResult.DENY
      : AuthorizeResult.ALLOW;
    return { result } as const;
  }
}

export default createBackendModule({
  pluginId: 'permission',
  moduleId: 'dev-policy',
  register(reg) {
    reg.registerInit({
      deps: { config: coreServices.rootConfig, policy: policyExtensionPoint },
      async init({ config, policy }) {
        const denied = config.getOptionalStringArray('dev.denied') ?? [];
        policy.setPolicy(new DevPolicy(denied));
      },
    });
  },
});
