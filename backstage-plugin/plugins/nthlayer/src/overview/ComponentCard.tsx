import { ButtonLink, Flex } from '@backstage/ui';
import { EntityInfoCard, useEntityRefLink } from '@backstage/plugin-catalog-react';
import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useEntityRef } from '../hooks/useEntityRef';
import { useLook } from '../hooks/useLook';
import { Facts } from '../shown/Facts';
import { Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { OnCallNow } from '../teams/OnCallNow';
import { ago, counted, moment } from '../words';
import { artefactCount, attentionOf, inState } from './attention';
import { Attentions } from './Attentions';
import { PauseNote } from './PauseNote';
import { Unmanaged } from './Unmanaged';

/** A service at a glance: what it promises, who is called for it, whether what was made of it is live. */
export function ComponentCard() {
  const ref = useEntityRef();
  const page = useEntityRefLink()(ref);
  const look = useLook('/api/v1/entities/{ref}', { path: { ref } });
  return (
    <EntityInfoCard
      title="NthLayer"
      headerActions={look.found?.tier ? <Mark weight="neutral">Tier {look.found.tier}</Mark> : undefined}
      footerActions={
        look.found?.standing === 'managed' ? (
          <ButtonLink href={`${page}/nthlayer`} variant="tertiary" size="small">
            Artefacts and dependencies
          </ButtonLink>
        ) : undefined
      }
    >
      <Looked of={look} what="what NthLayer knows of this">
        {entity => (entity.standing === 'unmanaged' ? <Unmanaged /> : <Glance entity={entity} />)}
      </Looked>
    </EntityInfoCard>
  );
}

function Glance({ entity }: { entity: Entity }) {
  const attention = attentionOf(entity);
  return (
    <Flex direction="column" gap="4">
      {entity.pause && <PauseNote pause={entity.pause} />}
      <Facts
        facts={[
          ['Objectives', entity.promises.length ? <Promises of={entity.promises} /> : 'None'],
          ['Artefacts', counted(artefactCount(entity), 'artefact')],
          ['Drift', <Drift key="drift" entity={entity} />],
          ['On call now', entity.owner ? <OnCallNow team={entity.owner.ref} /> : 'Nobody: it has no owner'],
          ['Last run', <LastRun key="run" of={entity.last_run} />],
        ]}
      />
      {attention.length > 0 && <Attentions of={attention} />}
    </Flex>
  );
}

function Promises({ of }: { of: readonly string[] }) {
  return (
    <ul>
      {of.map(promise => (
        <li key={promise}>{promise}</li>
      ))}
    </ul>
  );
}

function Drift({ entity }: { entity: Entity }) {
  const drifted = inState(entity, 'drifted');
  if (drifted) return <Mark weight="warning">{counted(drifted, 'artefact')} drifted</Mark>;
  const coming = inState(entity, 'pending') + inState(entity, 'waiting');
  if (coming) return <Mark weight="info">{counted(coming, 'artefact')} not yet live</Mark>;
  return <Mark weight="success">In step</Mark>;
}

function LastRun({ of }: { of: Entity['last_run'] }) {
  if (!of) return <>Not yet by this daemon</>;
  const at = of.ended ?? of.started;
  const words = { running: 'running since', failed: 'failed', done: 'done' }[of.state];
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={moment(at)}>
      {words} {ago(at)}
    </time>
  );
}
