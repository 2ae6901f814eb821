import { useState } from 'react';
import { Flex, Link, Tab, TabList, TabPanel, Tabs, Text } from '@backstage/ui';
import type { Artefact } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Code } from '../code/Code';
import { useLook } from '../hooks/useLook';
import { Looked } from '../shown/Looked';
import { Mark } from '../shown/Mark';
import { Quiet } from '../shown/Quiet';
import { artefactLabel, placeLabel, STATES, toolOf } from '../words';
import { AgainstLive } from './AgainstLive';
import { pathOf, type Chosen } from './chosen';
import classes from './Artefacts.module.css';

/** One artefact: where it is, how it stands, what is in it and why, and how it differs from what is live. */
export function ArtefactDetail({ entity, of: { kind, artefact } }: { entity: string; of: Chosen }) {
  const label = `${toolOf(kind.kind)} ${artefactLabel(kind.kind, artefact.name)}`;
  const state = STATES[artefact.state];
  return (
    <section className={classes.detail} aria-label={label}>
      <Flex direction="column" gap="3">
        <Flex align="center" gap="3" style={{ flexWrap: 'wrap' }}>
          <Text as="h3" variant="title-x-small" weight="bold">
            {label}
          </Text>
          <Mark weight={state.weight}>{state.label}</Mark>
        </Flex>
        <Quiet as="p">
          {kind.summary}
          {artefact.state !== 'applied' && `. ${artefact.reason || state.means}`}
        </Quiet>
        <Whereabouts of={artefact} />
        <Tabs defaultSelectedKey={artefact.state === 'applied' ? 'wanted' : 'live'}>
          <TabList aria-label={label}>
            <Tab id="wanted">As wanted</Tab>
            <Tab id="live">Against live</Tab>
          </TabList>
          <TabPanel id="wanted">
            <Wanted entity={entity} kind={kind.kind} name={artefact.name} label={label} />
          </TabPanel>
          <TabPanel id="live">
            <AgainstLive entity={entity} kind={kind.kind} name={artefact.name} label={label} />
          </TabPanel>
        </Tabs>
      </Flex>
    </section>
  );
}

function Whereabouts({ of }: { of: Artefact }) {
  if (!of.place) return null;
  const place = placeLabel(of.place);
  return (
    <Quiet as="p" size="small">
      {of.link ? (
        <Link href={of.link} target="_blank" rel="noopener noreferrer">
          {place}
        </Link>
      ) : (
        place
      )}
      {of.remote && (
        <>
          {' '}
          · id <code>{of.remote}</code>
        </>
      )}
    </Quiet>
  );
}

type Props = { entity: string; kind: string; name: string; label: string };

function Wanted({ entity, kind, name, label }: Props) {
  const [curious, setCurious] = useState(false);
  const asked = pathOf(entity, kind, name);
  const text = useLook('/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/text', asked);
  const why = useLook(curious ? '/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/why' : null, asked);
  return (
    <Looked of={text} what="the file">
      {found => (
        <Code
          label={label}
          text={found.text}
          mediaType={found.media_type}
          leaves={why.found?.leaves}
          trouble={why.error?.message}
          onCurious={() => setCurious(true)}
        />
      )}
    </Looked>
  );
}
