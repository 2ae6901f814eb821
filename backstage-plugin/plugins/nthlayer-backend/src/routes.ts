import type { BasicPermission } from '@backstage/plugin-permission-common';
import {
  nthlayerApprovePermission,
  nthlayerOperatePermission,
  nthlayerReadPermission,
} from '@nthlayer/backstage-plugin-nthlayer-common';

/** What may be asked of the daemon through here; `*` stands for one segment. Nothing else is passed on. */
const LOOKED_AT = [
  'changes',
  'conflicts',
  'coverage',
  'drift',
  'entities',
  'entities/*',
  'entities/*/artefacts',
  'entities/*/artefacts/*/*/diff',
  'entities/*/artefacts/*/*/text',
  'entities/*/artefacts/*/*/why',
  'entities/*/may',
  'entities/*/neighbourhood',
  'entities/*/oncall',
  'events',
  'findings',
  'graph',
  'graph/ceilings',
  'graph/cycles',
  'graph/inversions',
  'held',
  'kinds',
  'me',
  'plans',
  'plans/*',
  'plans/*/diff',
  'plans/*/parts',
  'runs',
  'runs/*',
  'runs/*/writes',
  'sources',
  'status',
  'waiting',
];

const ASKED_FOR: Record<string, BasicPermission> = {
  approve: nthlayerApprovePermission,
  audit: nthlayerOperatePermission,
  consent: nthlayerOperatePermission,
  pause: nthlayerOperatePermission,
  reconcile: nthlayerOperatePermission,
  resume: nthlayerOperatePermission,
  sync: nthlayerOperatePermission,
  undo: nthlayerApprovePermission,
};

const PATTERNS = LOOKED_AT.map(path => path.split('/'));

/** What it takes to ask for a path below `/v1/`, as it stands in the address; undefined where it is not passed on. */
export function permissionFor(
  method: string,
  path: string,
): BasicPermission | undefined {
  if (method === 'POST') {
    return Object.hasOwn(ASKED_FOR, path) ? ASKED_FOR[path] : undefined;
  }
  const segments = path.split('/');
  const found =
    method === 'GET' &&
    PATTERNS.some(
      pattern =>
        pattern.length === segments.length &&
        pattern.every((part, i) =>
          part === '*' ? isName(segments[i]) : part === segments[i],
        ),
    );
  return found ? nthlayerReadPermission : undefined;
}

/** Not what an address is shortened by: `..` would lead elsewhere, however it is written. */
function isName(segment: string): boolean {
  return segment !== '' && !/^(\.|%2e){1,2}$/i.test(segment);
}
