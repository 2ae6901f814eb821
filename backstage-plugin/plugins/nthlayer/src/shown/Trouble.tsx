import { Alert, Button } from '@backstage/ui';
import type { NthlayerError, Trouble as Sort } from '@nthlayer/backstage-plugin-nthlayer-common';

const TITLES: Record<Sort, string> = {
  away: 'NthLayer cannot be reached',
  denied: 'You may not see this',
  missing: 'NthLayer does not know this',
  refused: 'NthLayer refused this',
  broken: 'Something is broken',
};

type Props = {
  error: NthlayerError;
  /** Tries again, where that may help. */
  again?: () => void;
  /** Whether older answers are still shown beside it. */
  stale?: boolean;
  title?: string;
};

/** Why there is nothing to see, and what helps. */
export function Trouble({ error, again, stale, title }: Props) {
  const lasting = error.trouble === 'denied' || error.trouble === 'missing';
  return (
    <div role={stale ? 'status' : 'alert'}>
      <Alert
        status={stale || error.trouble === 'away' ? 'warning' : lasting ? 'info' : 'danger'}
        icon
        title={title ?? TITLES[error.trouble]}
        description={stale ? `${error.message} What you see may be old.` : error.message}
        customActions={
          again && !lasting ? (
            <Button size="small" variant="secondary" onPress={again}>
              Try again
            </Button>
          ) : undefined
        }
      />
    </div>
  );
}
