import { Button, Flex, Grid, Text } from '@backstage/ui';
import type { Coverage, Source, Status } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useAsk } from '../hooks/useAsk';
import { useLook } from '../hooks/useLook';
import { useMayOperate } from '../hooks/useMay';
import { PauseNote } from '../overview/PauseNote';
import { DataTable } from '../shown/DataTable';
import { EntityLink } from '../shown/EntityLink';
import { Facts } from '../shown/Facts';
import { Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { Section } from '../shown/Section';
import { Trouble } from '../shown/Trouble';
import { ago, counted } from '../words';
import { Padded } from './Padded';

/** How the organisation stands: what is managed, how the daemon is, what is read. */
export function Overview() {
  const status = useLook('/api/v1/status');
  const coverage = useLook('/api/v1/coverage');
  const sources = useLook('/api/v1/sources');
  const mayOperate = useMayOperate();
  const sync = useAsk('/api/v1/sync', sources.again);
  return (
    <Padded>
      {status.found?.pauses
        .filter(pause => pause.entity === '*')
        .map(pause => <PauseNote key={pause.entity} pause={pause} />)}
      {sync.error && <Trouble error={sync.error} title="Sources were not read" />}
      <Grid.Root columns={{ initial: '1', md: '2' }} gap="4">
        <Section title="Coverage">
          <Looked of={coverage} what="the coverage">
            {found => <Covered of={found} />}
          </Looked>
        </Section>
        <Section title="How it stands">
          <Looked of={status} what="how NthLayer stands">
            {found => <Standing of={found} />}
          </Looked>
        </Section>
      </Grid.Root>
      <Section
        title="Sources"
        actions={
          mayOperate ? (
            <Button size="small" variant="secondary" isPending={sync.pending} onPress={() => sync.ask({ sources: [] })}>
              Read all now
            </Button>
          ) : undefined
        }
      >
        <Looked of={sources} what="the sources">
          {found => <Sources of={found.items} />}
        </Looked>
      </Section>
    </Padded>
  );
}

const KINDS: Record<string, string> = { component: 'Services', group: 'Teams' };

function Covered({ of }: { of: Coverage }) {
  const services = of.items.filter(row => row.kind === 'component');
  const all = services.reduce((sum, row) => sum + row.managed + row.held + row.unmanaged, 0);
  const managed = services.reduce((sum, row) => sum + row.managed, 0);
  return (
    <Flex direction="column" gap="3">
      <Text as="p" variant="title-small" weight="bold">
        {all ? `${managed} of ${counted(all, 'service')} managed` : 'No services yet'}
      </Text>
      <DataTable
        caption="What is managed, by tier"
        columns={[
          { title: 'What', cell: row => KINDS[row.kind] ?? row.kind },
          { title: 'Tier', cell: row => row.tier || '–' },
          { title: 'Managed', cell: row => row.managed, numeric: true },
          { title: 'Held', cell: row => row.held, numeric: true },
          { title: 'Not managed', cell: row => row.unmanaged, numeric: true },
        ]}
        rows={of.items}
        id={row => `${row.kind} ${row.tier}`}
        empty="No source shows a service or a team."
      />
    </Flex>
  );
}

function Standing({ of }: { of: Status }) {
  const failing = Object.entries(of.failing);
  return (
    <Flex direction="column" gap="4">
      <Facts
        facts={[
          ['Last full sync', of.synced ? ago(of.synced) : 'Not yet'],
          ['Live', counted(of.configs, 'artefact')],
          ['Not settled', of.unsettled ? <Mark weight="warning">{counted(of.unsettled, 'entity', 'entities')}</Mark> : 'Nothing'],
          ['Failing', failing.length ? <Mark weight="danger">{counted(failing.length, 'entity', 'entities')}</Mark> : 'Nothing'],
          ['Paused', of.pauses.length ? counted(of.pauses.length, 'pause') : 'Nothing'],
          ['Wave', of.wave?.halted ? <Mark weight="danger">Halted: {of.wave.halted}</Mark> : undefined],
        ]}
      />
      {failing.length > 0 && (
        <DataTable
          caption="What fails, and why"
          columns={[
            { title: 'Entity', cell: ([ref]) => <EntityLink of={ref} /> },
            { title: 'Why', cell: ([, why]) => why },
          ]}
          rows={failing.slice(0, 20)}
          id={([ref]) => ref}
          empty=""
        />
      )}
    </Flex>
  );
}

function Sources({ of }: { of: readonly Source[] }) {
  return (
    <DataTable
      caption="Sources"
      columns={[
        { title: 'Source', cell: row => row.name },
        { title: 'Type', cell: row => row.type },
        {
          title: 'State',
          cell: row => <Mark weight={row.complete ? 'success' : 'warning'}>{row.complete ? 'Complete' : 'Incomplete'}</Mark>,
        },
        { title: 'Read', cell: row => ago(Date.now() / 1000 - row.stale) },
        { title: 'How that is known', cell: row => row.reason },
      ]}
      rows={of}
      id={row => row.name}
      empty="No source is configured."
    />
  );
}
