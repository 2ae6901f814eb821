import { usePermission } from '@backstage/plugin-permission-react';
import {
  nthlayerApprovePermission,
  nthlayerOperatePermission,
  type May,
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

const RANKS: May['role'][] = ['viewer', 'operator', 'admin'];

/** Whether the signed-in user has a role of the daemon, and Backstage lets them operate. */
export function useRole(role: May['role']): boolean {
  const operate = usePermission({ permission: nthlayerOperatePermission });
  const { found } = useLook('/api/v1/me');
  return operate.allowed && found !== undefined && RANKS.indexOf(found.role) >= RANKS.indexOf(role);
}
