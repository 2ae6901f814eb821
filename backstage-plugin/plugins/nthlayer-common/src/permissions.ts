import { createPermission } from '@backstage/plugin-permission-common';

/** To see what NthLayer knows and made. */
export const nthlayerReadPermission = createPermission({
  name: 'nthlayer.read',
  attributes: { action: 'read' },
});

/** To let changes be made that wait for an approval, and to undo what was made. */
export const nthlayerApprovePermission = createPermission({
  name: 'nthlayer.approve',
  attributes: { action: 'update' },
});

/** To have things looked at, paused and resumed, and guards passed. */
export const nthlayerOperatePermission = createPermission({
  name: 'nthlayer.operate',
  attributes: { action: 'update' },
});

/** All permissions of the plugin. The daemon has the last word on each: it also knows who owns what. */
export const nthlayerPermissions = [
  nthlayerReadPermission,
  nthlayerApprovePermission,
  nthlayerOperatePermission,
];
