import { useState } from 'react';
import { Flex, SearchField } from '@backstage/ui';
import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { DataTable } from '../shown/DataTable';

/** Every value of the blueprint, and who said it. */
export function Blueprint({ entity }: { entity: Entity }) {
  const [text, setText] = useState('');
  const wanted = text.toLowerCase();
  const rows = entity.blueprint.filter(
    value => !wanted || `${value.path} ${said(value.value)} ${value.origin}`.toLowerCase().includes(wanted),
  );
  return (
    <Flex direction="column" gap="3">
      <SearchField label="Find a value" value={text} onChange={setText} size="small" placeholder="slo, tier 1, …" />
      <DataTable
        caption="Values of the blueprint and where they come from"
        columns={[
          { title: 'Value', cell: row => <code>{row.path}</code> },
          { title: 'Is', cell: row => said(row.value) },
          { title: 'Because of', cell: row => row.origin },
        ]}
        rows={rows}
        id={row => row.path}
        empty="No value fits."
      />
    </Flex>
  );
}

function said(value: unknown): string {
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.map(said).join(', ') || 'none';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
