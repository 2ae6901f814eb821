import type { ReactNode } from 'react';
import type { Weight } from '../words';
import classes from './Mark.module.css';

type Props = { weight: Weight; children: ReactNode; title?: string };

/** A word in a colour: the word says it, the colour only repeats it. */
export function Mark({ weight, children, title }: Props) {
  return (
    <span className={`${classes.mark} ${classes[weight]}`} title={title}>
      {children}
    </span>
  );
}
