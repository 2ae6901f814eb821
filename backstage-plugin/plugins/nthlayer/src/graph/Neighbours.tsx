import { Flex, Text } from '@backstage/ui';
import type { Neighbourhood } from '@nthlayer/backstage-plugin-nthlayer-common';
import { DataTable } from '../shown/DataTable';
import { EntityLink } from '../shown/EntityLink';

type Neighbour = Neighbourhood['dependencies'][number];

/** The same as the picture, in words. */
export function Neighbours({ of }: { of: Neighbourhood }) {
  return (
    <Flex direction="column" gap="4">
      <Side title="It needs" rows={of.dependencies} empty="It needs nothing, as far as any source says." />
      <Side title="Need it" rows={of.dependents} empty="Nothing needs it, as far as any source says." />
    </Flex>
  );
}

function Side({ title, rows, empty }: { title: string; rows: readonly Neighbour[]; empty: string }) {
  return (
    <div>
      <Text as="h3" variant="title-x-small" weight="bold">
        {title}
      </Text>
      <DataTable
        caption={title}
        columns={[
          { title: 'Name', cell: row => <EntityLink of={row.ref} known={row.known} /> },
          { title: 'Kind', cell: row => row.technology || row.kind },
          { title: 'Tier', cell: row => row.tier || '–' },
          { title: 'Availability', cell: row => (row.availability ? `${row.availability} %` : '–'), numeric: true },
          { title: 'Owner', cell: row => (row.owner ? <EntityLink of={row.owner} /> : '–') },
        ]}
        rows={rows}
        id={row => row.ref}
        empty={empty}
      />
    </div>
  );
}
