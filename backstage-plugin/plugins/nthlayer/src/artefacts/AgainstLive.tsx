import { Difference } from '../difference/Difference';
import { useLook } from '../hooks/useLook';
import { Looked } from '../shown/Looked';
import { pathOf } from './chosen';

type Props = { entity: string; kind: string; name: string; label: string };

/** An artefact as it is live now, against what is wanted. */
export function AgainstLive({ entity, kind, name, label }: Props) {
  const look = useLook('/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/diff', pathOf(entity, kind, name));
  return (
    <Looked of={look} what="what is live">
      {diff => <Difference diff={diff} label={label} />}
    </Looked>
  );
}
