import { usePermission } from '@backstage/plugin-permission-react';
import {
  nthlayerApprovePermission,
  nthlayerOperatePermission,
} from '@nthlayer/backstage-plugin-nthlayer-common';
import { useLook } from './useLook';

/** What the signed-in user may do with an entity: what Backstage allows, and of that what the daemon does. */
export function useMay(ref: string): { approve: string[]; ask: boolean; again: () => void } {
  const operate = usePermission({ permission: nthlayerOperatePermission });
  const approve = usePermission({ permission: nthlayerApprovePermission });
  const { found, again } = useLook('/api/v1/entities/{ref}/may', { path: { ref } });
  return {
    ask: operate.allowed && Boolean(found?.ask),
    approve: approve.allowed ? (found?.approve ?? []) : [],
    again,
  };
}

/** Whether the signed-in user may approve, or undo, whatever it is of: both Backstage and the daemon let them. */
export function useMayDecide(): boolean {
  const approve = usePermission({ permission: nthlayerApprovePermission });
  const { found } = useLook('/api/v1/me');
  return approve.allowed && found !== undefined && found.role !== 'viewer';
}

/** Whether the signed-in user may have sources read. */
export function useMayOperate(): boolean {
  const operate = usePermission({ permission: nthlayerOperatePermission });
  const { found } = useLook('/api/v1/me');
  return operate.allowed && found !== undefined && found.role !== 'viewer';
}
