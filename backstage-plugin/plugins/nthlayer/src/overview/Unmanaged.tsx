import { Empty } from '../shown/Looked';

/** Why nothing is made for an entity, and how that changes. */
export function Unmanaged() {
  return (
    <Empty>
      Nothing is made for it: it has no tier. Annotate it with <code>nthlayer.dev/tier</code> in its{' '}
      <code>catalog-info.yaml</code>.
    </Empty>
  );
}
