import { Mark } from '../shown/Mark';
import type { Attention } from './attention';
import classes from './Attentions.module.css';

const WORDS: Partial<Record<Attention['weight'], string>> = { danger: 'Error', warning: 'Warning' };

/** What needs attention, as a list. */
export function Attentions({ of }: { of: Attention[] }) {
  return (
    <ul className={classes.list} aria-label="Needs attention">
      {of.map(({ weight, text }) => (
        <li key={text}>
          <Mark weight={weight}>{WORDS[weight] ?? 'Note'}</Mark>
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}
