import { lazy, Suspense } from 'react';
import { useSearchParams } from 'react-router-dom';
import { Flex, Tab, TabList, TabPanel, Tabs } from '@backstage/ui';
import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useEntityRef } from '../hooks/useEntityRef';
import { useLook } from '../hooks/useLook';
import { useMay } from '../hooks/useMay';
import { PauseNote } from '../overview/PauseNote';
import { Unmanaged } from '../overview/Unmanaged';
import { Loading, Looked } from '../shown/Looked';
import { Blueprint } from './Blueprint';
import { Changes } from './Changes';
import { Actions } from './Actions';
import { Artefacts } from './Artefacts';

const Dependencies = lazy(() => import('../graph/Dependencies').then(m => ({ default: m.Dependencies })));

/** Everything that was made of an entity, on its page. */
export function EntityTab() {
  const ref = useEntityRef();
  const look = useLook('/api/v1/entities/{ref}', { path: { ref } });
  return (
    <Looked of={look} what="what NthLayer made of this">
      {entity => <Whole entity={entity} again={look.again} />}
    </Looked>
  );
}

function Whole({ entity, again }: { entity: Entity; again: () => void }) {
  const [params, setParams] = useSearchParams();
  const may = useMay(entity.ref);
  const after = () => {
    again();
    may.again();
  };
  if (entity.standing === 'unmanaged') return <Unmanaged />;
  const open = (view: string) => setParams({ view }, { replace: true });
  const service = entity.kind === 'component';
  return (
    <Flex direction="column" gap="4">
      {entity.pause && <PauseNote pause={entity.pause} />}
      <Actions entity={entity} may={may} after={after} />
      <Tabs selectedKey={params.get('view') ?? 'artefacts'} onSelectionChange={key => open(String(key))}>
        <TabList aria-label="NthLayer">
          <Tab id="artefacts">Artefacts</Tab>
          <Tab id="changes">Plan and drift</Tab>
          {service && <Tab id="dependencies">Dependencies</Tab>}
          <Tab id="blueprint">Blueprint</Tab>
        </TabList>
        <TabPanel id="artefacts">
          <Artefacts entity={entity.ref} />
        </TabPanel>
        <TabPanel id="changes">
          <Changes entity={entity.ref} approvable={may.approve} after={after} />
        </TabPanel>
        {service && (
          <TabPanel id="dependencies">
            <Suspense fallback={<Loading what="the graph" />}>
              <Dependencies entity={entity.ref} />
            </Suspense>
          </TabPanel>
        )}
        <TabPanel id="blueprint">
          <Blueprint entity={entity} />
        </TabPanel>
      </Tabs>
    </Flex>
  );
}
