import { useMemo, useState } from 'react';
import { Flex, Select, Switch } from '@backstage/ui';
import type { Neighbourhood } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useLook } from '../hooks/useLook';
import { Empty, Looked } from '../shown/Looked';
import { around } from './layout';
import { Neighbours } from './Neighbours';
import { Picture } from './Picture';

/** Relations by which a failure travels. */
const RELATIONS = ['dependsOn', 'consumesApi', 'providesApi'];

/** Whom a service needs, who needs it, and whom its failure reaches: as a picture, and in words. */
export function Dependencies({ entity }: { entity: string }) {
  const [depth, setDepth] = useState(2);
  const [blast, setBlast] = useState(false);
  const near = useLook('/api/v1/entities/{ref}/neighbourhood', { path: { ref: entity } });
  const graph = useLook('/api/v1/graph', { query: { around: entity, depth, relation: RELATIONS } });
  const reached = useMemo(() => new Set(blast ? near.found?.rings.flat() : []), [blast, near.found]);
  const seen = useMemo(() => graph.found && around(graph.found, entity), [graph.found, entity]);
  return (
    <Flex direction="column" gap="4" style={{ paddingTop: 'var(--bui-space-4)' }}>
      <Flex gap="5" align="end">
        <Select
          label="Steps away"
          size="small"
          style={{ width: '8rem', flex: 'none' }}
          value={String(depth)}
          onChange={key => setDepth(Number(key))}
          options={['1', '2', '3', '5'].map(value => ({ value, label: value }))}
        />
        <Switch isSelected={blast} onChange={setBlast} label="Whom a failure reaches" />
      </Flex>
      {blast && near.found && <Reach of={near.found} />}
      <Looked of={{ ...graph, found: seen }} what="the graph">
        {found =>
          found.nodes.length > 1 ? (
            <Picture graph={found} centre={entity} reached={reached} />
          ) : (
            <Empty>It needs nothing, and nothing needs it, as far as any source says.</Empty>
          )
        }
      </Looked>
      <Looked of={near} what="the dependencies">
        {found => <Neighbours of={found} />}
      </Looked>
    </Flex>
  );
}

function Reach({ of }: { of: Neighbourhood }) {
  const tiers = Object.entries(of.reached);
  if (tiers.length === 0) return <Empty>Its failure reaches nobody.</Empty>;
  const words = tiers.map(([tier, count]) => `${count} of ${tier ? `tier ${tier}` : 'no tier'}`);
  return <Empty>Its failure reaches {words.join(', ')}, in {of.rings.length} steps at most.</Empty>;
}
