import type { ReactNode } from 'react';
import classes from './Facts.module.css';

type Props = { facts: [name: string, value: ReactNode][] };

/** Names and values. A fact without a value is left out. */
export function Facts({ facts }: Props) {
  return (
    <dl className={classes.facts}>
      {facts
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name} className={classes.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
