import { useState } from 'react';
import { Flex } from '@backstage/ui';
import type { Artefact, Artefacts, ArtefactState, Change } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Approve } from '../deciding/Approve';
import { useLook } from '../hooks/useLook';
import { Empty, Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { Quiet } from '../shown/Quiet';
import { ACTIONS, changeLabel, STATES } from '../words';
import { AgainstLive } from './AgainstLive';
import classes from './Changes.module.css';

type Props = { entity: string; approvable: string[]; after: () => void };

/** What would be done next, and what people changed by hand: each change with its difference. */
export function Changes({ entity, approvable, after }: Props) {
  const look = useLook('/api/v1/entities/{ref}/artefacts', { path: { ref: entity } });
  const both = () => {
    look.again();
    after();
  };
  return (
    <Looked of={look} what="the plan">
      {found => <Listed changes={changesOf(found)} approvable={approvable} after={both} />}
    </Looked>
  );
}

type Standing = { state: ArtefactState; change: Change };

function Listed({ changes, approvable, after }: { changes: Standing[]; approvable: string[]; after: () => void }) {
  if (changes.length === 0) return <Empty>Everything is live as it is wanted. Nobody changed anything by hand.</Empty>;
  return (
    <ul className={classes.changes}>
      {changes.map(each => (
        <li key={each.change.key}>
          <One {...each} mayApprove={approvable.includes(each.change.key)} after={after} />
        </li>
      ))}
    </ul>
  );
}

function One({ state, change, mayApprove, after }: Standing & { mayApprove: boolean; after: () => void }) {
  const [open, setOpen] = useState(false);
  const { label, weight } = STATES[state];
  return (
    <details className={classes.change} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Mark weight={weight}>{label}</Mark>
        <span className={classes.name}>{changeLabel(change)}</span>
        <Quiet size="small">{change.action === 'wait' ? change.reason : ACTIONS[change.action]}</Quiet>
      </summary>
      {open && (
        <Flex direction="column" gap="3" className={classes.open}>
          {mayApprove && (
            <div>
              <Approve changes={[change]} after={after} />
            </div>
          )}
          <AgainstLive entity={change.entity} kind={change.kind} name={change.name} label={changeLabel(change)} />
        </Flex>
      )}
    </details>
  );
}

/** In the order in which somebody has to decide. */
const ORDER: ArtefactState[] = ['refused', 'waiting', 'drifted', 'held', 'pending', 'applied'];

function changesOf(found: Artefacts): Standing[] {
  const artefacts: Artefact[] = found.categories.flatMap(category => category.kinds.flatMap(kind => kind.artefacts));
  return artefacts
    .flatMap(({ state, change }) => (change && change.action !== 'nothing' ? [{ state, change }] : []))
    .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
}
