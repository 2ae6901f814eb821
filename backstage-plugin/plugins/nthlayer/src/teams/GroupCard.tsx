import { Flex, Link, Text } from '@backstage/ui';
import { EntityInfoCard } from '@backstage/plugin-catalog-react';
import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useEntityRef } from '../hooks/useEntityRef';
import { useLook } from '../hooks/useLook';
import { attentionOf } from '../overview/attention';
import { Attentions } from '../overview/Attentions';
import { PauseNote } from '../overview/PauseNote';
import { EntityList } from '../shown/EntityList';
import { Facts } from '../shown/Facts';
import { Looked } from '../shown/Looked';
import { OnCallWeeks } from './OnCallWeeks';

/** A team: what it owns, who can be reached, and who is called when. */
export function GroupCard() {
  const ref = useEntityRef();
  const look = useLook('/api/v1/entities/{ref}', { path: { ref } });
  return (
    <EntityInfoCard title="NthLayer">
      <Looked of={look} what="what NthLayer knows of this team">
        {entity => <Team entity={entity} />}
      </Looked>
    </EntityInfoCard>
  );
}

function Team({ entity }: { entity: Entity }) {
  const attention = attentionOf(entity);
  return (
    <Flex direction="column" gap="4">
      {entity.pause && <PauseNote pause={entity.pause} />}
      {attention.length > 0 && <Attentions of={attention} />}
      <Heading>Who can be reached</Heading>
      <Facts
        facts={[
          ['Channel', entity.owner?.channel || 'None known'],
          ['E-mail', entity.owner?.email ? <Link href={`mailto:${entity.owner.email}`}>{entity.owner.email}</Link> : 'None known'],
          ['People', entity.owner?.people.join(', ') || 'Nobody known'],
        ]}
      />
      <Heading>Who is called when</Heading>
      <OnCallWeeks team={entity.ref} />
      <Heading>What it owns</Heading>
      <EntityList caption="What it owns" query={{ owner: entity.ref }} empty="It owns no service." />
    </Flex>
  );
}

function Heading({ children }: { children: string }) {
  return (
    <Text as="h4" variant="body-medium" weight="bold">
      {children}
    </Text>
  );
}
