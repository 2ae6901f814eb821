import type { Artefacts } from '@nthlayer/backstage-plugin-nthlayer-common';
import { Mark } from '../shown/Mark';
import { artefactLabel, categoryLabel, STATES, toolOf } from '../words';
import { keyOf } from './chosen';
import classes from './Artefacts.module.css';

type Props = { found: Artefacts; chosen: string; choose: (key: string) => void };

/** The artefacts of an entity by category. Only those that are not simply live bear a mark. */
export function ArtefactList({ found, chosen, choose }: Props) {
  return (
    <nav className={classes.list} aria-label="Artefacts">
      {found.categories.map(category => (
        <section key={category.category ?? ''}>
          <h3 className={classes.category}>{categoryLabel(category.category)}</h3>
          <ul>
            {category.kinds.flatMap(kind =>
              kind.artefacts.map(artefact => {
                const key = keyOf({ kind, artefact });
                const state = STATES[artefact.state];
                return (
                  <li key={key}>
                    <button
                      type="button"
                      className={classes.item}
                      aria-current={key === chosen ? 'true' : undefined}
                      onClick={() => choose(key)}
                    >
                      <span>
                        <span className={classes.tool}>{toolOf(kind.kind)}</span>{' '}
                        {artefactLabel(kind.kind, artefact.name)}
                      </span>
                      {artefact.state !== 'applied' && (
                        <Mark weight={state.weight} title={state.means}>
                          {state.label}
                        </Mark>
                      )}
                    </button>
                  </li>
                );
              }),
            )}
          </ul>
        </section>
      ))}
    </nav>
  );
}
