import { useMemo } from 'react';
import { Alert, Flex, VisuallyHidden } from '@backstage/ui';
import type { Diff } from '@nthlayer/backstage-plugin-nthlayer-common';
import { counted } from '../words';
import { Empty } from '../shown/Looked';
import { compare, type Compared } from './lines';
import classes from './Difference.module.css';

const SIGNS = { same: ' ', gone: '−', new: '+' };
const WORDS = { same: '', gone: 'removed: ', new: 'added: ' };

/** What a change makes of a config: its lines as they are live, and as they are wanted. */
export function Difference({ diff, label }: { diff: Diff; label: string }) {
  const lines = useMemo(() => compare(laidOut(diff.before), laidOut(diff.after)), [diff.before, diff.after]);
  const differs = lines.some(line => line.sort === 'gone' || line.sort === 'new');
  return (
    <Flex direction="column" gap="3">
      {diff.trouble && <Alert status="warning" icon title="It cannot be shown whole" description={diff.trouble} />}
      {differs ? <Lines lines={lines} label={label} /> : !diff.trouble && <Empty>It is live as it is wanted.</Empty>}
      {diff.outlook && <pre className={classes.outlook}>{diff.outlook}</pre>}
    </Flex>
  );
}

function Lines({ lines, label }: { lines: Compared[]; label: string }) {
  return (
    <div className={classes.frame} role="group" tabIndex={0} aria-label={`What changes in ${label}`}>
      <ol className={classes.lines}>
        {lines.map((line, index) => (
          <li key={index} className={classes[line.sort]}>
            {line.sort === 'folded' ? (
              `${counted(line.count, 'line')} the same`
            ) : (
              <>
                <span className={classes.sign} aria-hidden>
                  {SIGNS[line.sort]}
                </span>
                <VisuallyHidden>{WORDS[line.sort]}</VisuallyHidden>
                <span>{line.text}</span>
              </>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** JSON is written for machines, in one line: laid out it can be compared. */
function laidOut(text: string | null): string {
  if (text === null) return '';
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
