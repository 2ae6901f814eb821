import { Alert } from '@backstage/ui';
import type { Pause } from '@nthlayer/backstage-plugin-nthlayer-common';
import { ago } from '../words';

/** That nothing is written now, who said so, and why. */
export function PauseNote({ pause }: { pause: Pause }) {
  const all = pause.entity === '*';
  return (
    <Alert
      status="info"
      icon
      title={all ? 'Everything is paused' : 'Paused'}
      description={`${pause.reason} (${pause.by}${pause.at ? `, ${ago(pause.at)}` : ''})`}
    />
  );
}
