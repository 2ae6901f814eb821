import type { Conflict, Finding } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useLook } from '../hooks/useLook';
import { DataTable } from '../shown/DataTable';
import { EntityLink } from '../shown/EntityLink';
import { Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { Section } from '../shown/Section';
import type { Weight } from '../words';
import { Padded } from './Padded';

const LIMIT = 200;
const SEVERITIES: Record<Finding['severity'], { label: string; weight: Weight }> = {
  error: { label: 'Error', weight: 'danger' },
  warning: { label: 'Warning', weight: 'warning' },
  note: { label: 'Note', weight: 'info' },
};

/** Where sources contradict each other, and what is wrong with the catalog, the blueprints and the graph. */
export function Findings() {
  const conflicts = useLook('/api/v1/conflicts', { query: { limit: LIMIT } });
  const findings = useLook('/api/v1/findings', { query: { limit: LIMIT } });
  return (
    <Padded>
      <Section title="Conflicts">
        <Looked of={conflicts} what="the conflicts">
          {found => <Conflicts rows={found.items} />}
        </Looked>
      </Section>
      <Section title="Findings">
        <Looked of={findings} what="the findings">
          {found => <Found rows={found.items} />}
        </Looked>
      </Section>
    </Padded>
  );
}

function Conflicts({ rows }: { rows: readonly Conflict[] }) {
  return (
    <DataTable
      caption="Where sources contradict each other"
      columns={[
        { title: 'Entity', cell: row => <EntityLink of={row.entity} /> },
        { title: 'Field', cell: row => row.field },
        {
          title: 'What sources say',
          cell: row =>
            Object.entries(row.values)
              .map(([source, value]) => `${source}: ${value}`)
              .join('; '),
        },
        { title: 'Used', cell: row => row.values[row.winner] ?? row.winner },
      ]}
      rows={rows}
      id={row => `${row.entity} ${row.field}`}
      empty="All sources agree."
    />
  );
}

function Found({ rows }: { rows: readonly Finding[] }) {
  return (
    <DataTable
      caption="What is wrong, or worth knowing"
      columns={[
        {
          title: 'How bad',
          cell: row => <Mark weight={SEVERITIES[row.severity].weight}>{SEVERITIES[row.severity].label}</Mark>,
        },
        { title: 'Entity', cell: row => (row.entity ? <EntityLink of={row.entity} /> : '–') },
        { title: 'What', cell: row => row.message },
        { title: 'Where', cell: row => (row.file ? `${row.file}${row.line ? `:${row.line}` : ''}` : row.field) },
      ]}
      rows={rows}
      id={row => `${row.entity} ${row.code} ${row.message} ${row.file} ${row.line}`}
      empty="Nothing is wrong."
    />
  );
}
