import type { ReactNode } from 'react';
import { Text } from '@backstage/ui';
import classes from './Quiet.module.css';

type Props = { children: ReactNode; as?: 'p' | 'span'; size?: 'small' | 'medium' };

/** Words that stand back. The secondary colour of themes is too faint on cards in the dark; this one keeps 4.5:1. */
export function Quiet({ children, as = 'span', size = 'medium' }: Props) {
  return (
    <Text as={as} variant={`body-${size}`} className={classes.quiet}>
      {children}
    </Text>
  );
}
