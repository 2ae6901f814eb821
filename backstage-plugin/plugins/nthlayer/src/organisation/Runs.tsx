import { useState } from 'react';
import { Button, Flex } from '@backstage/ui';
import type { Run } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Confirm } from '../deciding/Confirm';
import { useAsk } from '../hooks/useAsk';
import { useLook } from '../hooks/useLook';
import { useMayDecide } from '../hooks/useMay';
import { DataTable } from '../shown/DataTable';
import { Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { Section } from '../shown/Section';
import { ago, counted, moment, type Weight } from '../words';
import { Padded } from './Padded';

const STATES: Record<Run['state'], { label: string; weight: Weight }> = {
  running: { label: 'Running', weight: 'info' },
  done: { label: 'Done', weight: 'success' },
  failed: { label: 'Failed', weight: 'danger' },
};

/** What the daemon did, the newest first; what it applied can be undone. */
export function Runs() {
  const [limit, setLimit] = useState(25);
  const look = useLook('/api/v1/runs', { query: { limit } });
  const mayUndo = useMayDecide();
  return (
    <Padded>
      <Section title="Runs">
        <Looked of={look} what="the runs">
          {({ items, next }) => (
            <Flex direction="column" gap="2" align="stretch">
              <DataTable
                caption="Runs, the newest first"
                columns={[
                  {
                    title: 'When',
                    cell: run => (
                      <time dateTime={new Date(run.started * 1000).toISOString()} title={moment(run.started)}>
                        {ago(run.started)}
                      </time>
                    ),
                  },
                  { title: 'Why', cell: run => run.trigger },
                  { title: 'State', cell: run => <Mark weight={STATES[run.state].weight}>{STATES[run.state].label}</Mark> },
                  { title: 'Looked at', cell: run => counted(run.looked_at, 'entity', 'entities'), numeric: true },
                  { title: 'What became of it', cell: run => outcomeOf(run) },
                  { title: 'Undo', cell: run => (mayUndo ? <Undo run={run} after={look.again} /> : '–') },
                ]}
                rows={items}
                id={run => run.id}
                empty="Nothing was done yet."
              />
              {next && (
                <div>
                  <Button variant="tertiary" size="small" onPress={() => setLimit(500)}>
                    Show more
                  </Button>
                </div>
              )}
            </Flex>
          )}
        </Looked>
      </Section>
    </Padded>
  );
}

function outcomeOf(run: Run): string {
  if (run.error) return run.error;
  const words = Object.entries(run.outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  if (run.waiting) words.push(`${run.waiting} waiting`);
  return words.join(', ') || 'Nothing to do';
}

function Undo({ run, after }: { run: Run; after: () => void }) {
  const undo = useAsk('/api/v1/undo', after);
  const { plan } = run;
  if (!plan || run.state === 'running' || Object.keys(run.outcomes).length === 0) return <>–</>;
  return (
    <Confirm
      label="Undo"
      title="Undo this run"
      pending={undo.pending}
      error={undo.error}
      confirm={() => undo.ask({ plan })}
    >
      What it changed is put back, and the {counted(run.looked_at, 'entity', 'entities')} it concerned{' '}
      {run.looked_at === 1 ? 'is' : 'are'} paused: what they ask for would bring it back. What was changed since stays
      as it is.
    </Confirm>
  );
}
