import { useSearchParams } from 'react-router-dom';
import type { Artefacts as Found } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useLook } from '../hooks/useLook';
import { Empty, Looked } from '../shown/Looked';
import { ArtefactDetail } from './ArtefactDetail';
import { ArtefactList } from './ArtefactList';
import { keyOf, type Chosen } from './chosen';
import classes from './Artefacts.module.css';

/** The artefacts of an entity, and the chosen one beside them. */
export function Artefacts({ entity }: { entity: string }) {
  const look = useLook('/api/v1/entities/{ref}/artefacts', { path: { ref: entity } });
  return (
    <Looked of={look} what="the artefacts">
      {found =>
        found.categories.length === 0 ? (
          <Empty>Nothing is made of it yet. The plugins that are on have nothing for it.</Empty>
        ) : (
          <Both found={found} />
        )
      }
    </Looked>
  );
}

function Both({ found }: { found: Found }) {
  const [params, setParams] = useSearchParams();
  const all: Chosen[] = found.categories.flatMap(category =>
    category.kinds.flatMap(kind => kind.artefacts.map(artefact => ({ kind, artefact }))),
  );
  const asked = params.get('artefact');
  const chosen = all.find(each => keyOf(each) === asked) ?? all.find(each => each.artefact.state !== 'applied') ?? all[0];
  const choose = (key: string) => setParams({ view: 'artefacts', artefact: key }, { replace: true });
  return (
    <div className={classes.both}>
      <ArtefactList found={found} chosen={keyOf(chosen)} choose={choose} />
      <ArtefactDetail key={keyOf(chosen)} entity={found.entity} of={chosen} />
    </div>
  );
}
