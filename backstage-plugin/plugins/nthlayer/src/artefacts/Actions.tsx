import { Button, Flex } from '@backstage/ui';
import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Approve } from '../deciding/Approve';
import { PauseOrResume } from '../deciding/PauseOrResume';
import { useAsk } from '../hooks/useAsk';
import { attentionOf } from '../overview/attention';
import { Attentions } from '../overview/Attentions';
import { Trouble } from '../shown/Trouble';
import { RunbookLink } from './RunbookLink';

type Props = { entity: Entity; may: { approve: string[]; ask: boolean }; after: () => void };

/** What needs attention, and what the signed-in user may do about it. */
export function Actions({ entity, may, after }: Props) {
  const reconcile = useAsk('/api/v1/reconcile', after);
  const attention = attentionOf(entity);
  return (
    <Flex direction="column" gap="3">
      <Flex justify="between" align="start" gap="4" style={{ flexWrap: 'wrap' }}>
        {attention.length > 0 ? <Attentions of={attention} /> : <span />}
        <Flex gap="2" align="center" style={{ flexWrap: 'wrap' }}>
          <RunbookLink />
          {may.ask && (
            <>
              <Button
                size="small"
                variant="secondary"
                isPending={reconcile.pending}
                onPress={() => reconcile.ask({ entities: [entity.ref] })}
              >
                Look again now
              </Button>
              <PauseOrResume entity={entity} after={after} />
            </>
          )}
          <Approve changes={entity.waiting.filter(change => may.approve.includes(change.key))} after={after} />
        </Flex>
      </Flex>
      {reconcile.error && <Trouble error={reconcile.error} title="It was not done" />}
    </Flex>
  );
}
