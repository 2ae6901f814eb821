import { useId, useMemo, useState, type KeyboardEvent } from 'react';
import type { Leaf } from '@nthlayer/backstage-plugin-nthlayer-common';
import { linesOf } from './lines';
import { Origin } from './Origin';
import { tokensOf } from './tokens';
import classes from './Code.module.css';

type Props = {
  /** What the text is called. */
  label: string;
  text: string;
  mediaType: string;
  /** Where each value comes from; undefined while nobody knows yet. */
  leaves: readonly Leaf[] | undefined;
  /** Why nobody will know. */
  trouble?: string;
  /** Somebody wants to know where values come from. */
  onCurious: () => void;
};

/** A file with its tokens coloured. The line under the pointer, or chosen with the arrow keys, tells its origin. */
export function Code({ label, text, mediaType, leaves, trouble, onCurious }: Props) {
  const id = useId();
  const lines = useMemo(() => linesOf(text, mediaType), [text, mediaType]);
  const coloured = useMemo(() => lines.map(line => tokensOf(line.text, mediaType)), [lines, mediaType]);
  const [chosen, setChosen] = useState(-1);
  const [pointed, setPointed] = useState(-1);
  const current = pointed >= 0 ? pointed : chosen;

  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = {
      ArrowDown: chosen + 1,
      ArrowUp: chosen - 1,
      PageDown: chosen + 15,
      PageUp: chosen - 15,
      Home: 0,
      End: lines.length - 1,
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(lines.length - 1, steps[event.key]));
    setPointed(-1);
    setChosen(next);
    document.getElementById(`${id}-${next}`)?.scrollIntoView?.({ block: 'nearest' });
  };

  return (
    <div className={classes.frame}>
      <div
        className={classes.lines}
        role="listbox"
        tabIndex={0}
        aria-label={`${label}: choose a line with the arrow keys to see where its value comes from`}
        aria-activedescendant={chosen >= 0 ? `${id}-${chosen}` : undefined}
        onKeyDown={onKeyDown}
        onFocus={() => {
          onCurious();
          if (chosen < 0) setChosen(0);
        }}
        onPointerEnter={onCurious}
        onPointerLeave={() => setPointed(-1)}
      >
        {lines.map((_, index) => (
          // The arrow keys of the list choose a line; the pointer is the other way to do so.
          <div
            key={index}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={`${classes.line} ${index === current ? classes.current : ''}`}
            onPointerEnter={() => setPointed(index)}
            onClick={() => setChosen(index)}
          >
            <span className={classes.count} aria-hidden>
              {index + 1}
            </span>
            <span className={classes.text}>
              {coloured[index].map((token, place) => (
                <span key={place} className={token.sort === 'plain' ? undefined : classes[token.sort]}>
                  {token.text}
                </span>
              ))}
            </span>
          </div>
        ))}
      </div>
      <Origin line={lines[current]} number={current + 1} leaves={leaves} trouble={trouble} />
    </div>
  );
}
