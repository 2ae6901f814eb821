import { useState } from 'react';
import { Button, Flex, Link } from '@backstage/ui';
import { useEntityRefLink } from '@backstage/plugin-catalog-react';
import type { Change } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Approve } from '../deciding/Approve';
import { useLook } from '../hooks/useLook';
import { useMayDecide } from '../hooks/useMay';
import { DataTable } from '../shown/DataTable';
import { EntityLink, nameOf } from '../shown/EntityLink';
import { Looked } from '../shown/Looked';
import { Section } from '../shown/Section';
import { changeLabel, counted } from '../words';
import { Padded } from './Padded';

/** What waits for somebody: approvals, what is not deleted though nobody asks for it, what was changed by hand. */
export function Decisions() {
  return (
    <Padded>
      <Section title="Waiting">
        <Waiting />
      </Section>
      <Section title="Held back from being deleted">
        <Listed of="/api/v1/held" empty="Nothing: what nobody asks for any more is gone." />
      </Section>
      <Section title="Changed by hand">
        <Listed of="/api/v1/drift" empty="Nothing was changed by hand." />
      </Section>
    </Padded>
  );
}

const LIMIT = 500;

/** What waits, by entity: all that waits of one is decided about at once. */
function Waiting() {
  const look = useLook('/api/v1/waiting', { query: { limit: LIMIT } });
  const mayDecide = useMayDecide();
  return (
    <Looked of={look} what="what waits">
      {({ items, next }) => (
        <>
          <DataTable
            caption="What waits, by entity"
            columns={[
              { title: 'Entity', cell: row => <ToChanges of={row.entity} /> },
              { title: 'Changes', cell: row => <Few of={row.changes} /> },
              { title: 'Waits for', cell: row => row.reasons.join('; ') },
              { title: 'Owner', cell: row => (row.owner ? <EntityLink of={row.owner} /> : '–') },
              {
                title: 'Decide',
                cell: row =>
                  mayDecide && row.approvable.length > 0 ? (
                    <Approve changes={row.approvable} after={look.again} />
                  ) : (
                    <ToChanges of={row.entity} words="Look" />
                  ),
              },
            ]}
            rows={byEntity(items)}
            id={row => row.entity}
            empty="Nothing waits for anybody."
          />
          {next && <p>These are the first {LIMIT} changes.</p>}
        </>
      )}
    </Looked>
  );
}

/** How the reason of a change begins that waits for an approval. */
const APPROVAL = 'approval of ';

type Row = { entity: string; owner: string | null; changes: Change[]; approvable: Change[]; reasons: string[] };

function byEntity(changes: readonly Change[]): Row[] {
  const found = new Map<string, Change[]>();
  for (const change of changes) found.set(change.entity, [...(found.get(change.entity) ?? []), change]);
  return [...found].map(([entity, own]) => ({
    entity,
    owner: own[0].owner,
    changes: own,
    approvable: own.filter(change => change.reason.startsWith(APPROVAL)),
    reasons: [...new Set(own.map(change => change.reason))],
  }));
}

const SHOWN = 3;

function Few({ of }: { of: Change[] }) {
  const rest = of.length - SHOWN;
  const words = of.slice(0, SHOWN).map(changeLabel).join(', ');
  return <>{rest > 0 ? `${words} and ${counted(rest, 'more', 'more')}` : words}</>;
}

function Listed({ of, empty }: { of: '/api/v1/held' | '/api/v1/drift'; empty: string }) {
  const [limit, setLimit] = useState(20);
  const look = useLook(of, { query: { limit } });
  return (
    <Looked of={look} what="the list">
      {({ items, next }) => (
        <Flex direction="column" gap="2" align="stretch">
          <DataTable
            caption="Changes"
            columns={[
              { title: 'Entity', cell: row => <ToChanges of={row.entity} /> },
              { title: 'Artefact', cell: row => changeLabel(row) },
              { title: 'Why', cell: row => row.reason },
              { title: 'Owner', cell: row => (row.owner ? <EntityLink of={row.owner} /> : '–') },
            ]}
            rows={items}
            id={row => row.key}
            empty={empty}
          />
          {next && (
            <div>
              <Button variant="tertiary" size="small" onPress={() => setLimit(LIMIT)}>
                Show more
              </Button>
            </div>
          )}
        </Flex>
      )}
    </Looked>
  );
}

/** An entity, linked to its plan. */
function ToChanges({ of, words }: { of: string; words?: string }) {
  const link = useEntityRefLink();
  if (of.startsWith('organisation:')) return <>{words ? '–' : nameOf(of)}</>;
  return (
    <Link href={`${link(of)}/nthlayer?view=changes`} aria-label={words && `${words} at ${nameOf(of)}`}>
      {words ?? nameOf(of)}
    </Link>
  );
}
