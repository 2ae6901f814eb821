import type { Leaf } from '@nthlayer/backstage-plugin-nthlayer-common';
import type { Line } from './lines';
import classes from './Code.module.css';

type Props = {
  line: Line | undefined;
  /** Counts from 1. */
  number: number;
  leaves: readonly Leaf[] | undefined;
  trouble?: string;
};

/** Where the value of a line comes from, in one line below the file. */
export function Origin(props: Props) {
  return (
    <div className={classes.origin} role="status" aria-label="Where the value comes from">
      <Said {...props} />
    </div>
  );
}

function Said({ line, number, leaves, trouble }: Props) {
  if (trouble) return <>{trouble}</>;
  if (!line) return <>Point at a line, or choose one with the arrow keys, to see where its value comes from.</>;
  if (!leaves) return <>Looking for where the values come from…</>;
  const leaf = leaves.find(each => each.path === line.path);
  if (!line.path || !leaf) return <>Line {number} holds no value of its own.</>;
  if (leaf.reasons.length === 0) return <>Line {number} is fixed: it is so for every entity.</>;
  return (
    <dl>
      {leaf.reasons.map(reason => (
        <div key={reason.input}>
          <dt>
            {reason.input} <code>{shortened(reason.value)}</code>
          </dt>
          <dd>{reason.origin}</dd>
        </div>
      ))}
    </dl>
  );
}

function shortened(value: string): string {
  return value.length > 60 ? `${value.slice(0, 59)}…` : value;
}
