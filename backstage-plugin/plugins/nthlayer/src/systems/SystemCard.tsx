import { Flex } from '@backstage/ui';
import { EntityInfoCard } from '@backstage/plugin-catalog-react';
import { useEntityRef } from '../hooks/useEntityRef';
import { EntityList } from '../shown/EntityList';

/** A system: its services with their tiers, and whether they are managed. */
export function SystemCard() {
  const system = useEntityRef();
  return (
    <EntityInfoCard title="NthLayer">
      <Flex direction="column" gap="3">
        <EntityList caption="Services of this system" query={{ system }} empty="It has no services." />
      </Flex>
    </EntityInfoCard>
  );
}
