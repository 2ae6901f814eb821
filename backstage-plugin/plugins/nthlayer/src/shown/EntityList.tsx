import { useState } from 'react';
import { Button, Flex } from '@backstage/ui';
import type { Looked as Query } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useLook } from '../hooks/useLook';
import { DataTable } from './DataTable';
import { EntityLink } from './EntityLink';
import { Looked } from './Looked';
import { Mark } from './Mark';
import { STANDINGS } from '../words';

type Props = {
  caption: string;
  query: NonNullable<Query<'/api/v1/entities'>['query']>;
  empty: string;
};

const FEW = 10;
const MANY = 500;

/** Services with their tiers, and whether something is made for them. */
export function EntityList({ caption, query, empty }: Props) {
  const [limit, setLimit] = useState(FEW);
  const look = useLook('/api/v1/entities', { query: { kind: 'component', ...query, limit } });
  return (
    <Looked of={look} what={caption}>
      {({ items, next }) => (
        <Flex direction="column" gap="2" align="stretch">
          <DataTable
            caption={caption}
            columns={[
              { title: 'Service', cell: row => <EntityLink of={row.ref} /> },
              { title: 'Tier', cell: row => row.tier || '–' },
              {
                title: 'NthLayer',
                cell: row => <Mark weight={STANDINGS[row.standing].weight}>{STANDINGS[row.standing].label}</Mark>,
              },
            ]}
            rows={items}
            id={row => row.ref}
            empty={empty}
          />
          {next && (
            <div>
              <Button variant="tertiary" size="small" onPress={() => setLimit(MANY)}>
                Show more
              </Button>
            </div>
          )}
        </Flex>
      )}
    </Looked>
  );
}
