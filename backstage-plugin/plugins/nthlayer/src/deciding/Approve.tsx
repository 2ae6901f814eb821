import type { Change } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useAsk } from '../hooks/useAsk';
import { changeLabel, counted } from '../words';
import { Confirm } from './Confirm';

type Props = { changes: readonly Change[]; after: () => void };

/** Approves changes of one entity, as they stand now. */
export function Approve({ changes, after }: Props) {
  const approve = useAsk('/api/v1/approve', after);
  if (changes.length === 0) return null;
  const { entity } = changes[0];
  const label = changes.length === 1 ? 'Approve' : `Approve all ${changes.length}`;
  return (
    <Confirm
      label={label}
      title={`Approve ${counted(changes.length, 'change')}`}
      variant="primary"
      pending={approve.pending}
      error={approve.error}
      confirm={() => approve.ask({ entity, changes: changes.map(change => change.key) })}
    >
      <p>They are written as they stand now; a change that becomes another waits again.</p>
      <ul>
        {changes.map(change => (
          <li key={change.key}>{changeLabel(change)}</li>
        ))}
      </ul>
    </Confirm>
  );
}
