import type { ReactNode } from 'react';
import { Flex, Skeleton, VisuallyHidden } from '@backstage/ui';
import type { Look } from '../hooks/useLook';
import { Quiet } from './Quiet';
import { Trouble } from './Trouble';

type Props<T> = {
  of: Look<T>;
  /** What is looked up, as in "Loading the artefacts". */
  what: string;
  children: (found: T) => ReactNode;
};

/** What was looked up: while it loads, when it failed, and when it is there. */
export function Looked<T>({ of, what, children }: Props<T>) {
  if (of.found === undefined) {
    return of.error ? <Trouble error={of.error} again={of.again} /> : <Loading what={what} />;
  }
  return (
    <>
      {of.error && <Trouble error={of.error} again={of.again} stale />}
      {children(of.found)}
    </>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div role="status">
      <VisuallyHidden>Loading {what}</VisuallyHidden>
      <Flex direction="column" gap="2" aria-hidden>
        <Skeleton width="60%" height={16} />
        <Skeleton width="85%" height={16} />
        <Skeleton width="40%" height={16} />
      </Flex>
    </div>
  );
}

/** Nothing is there, which may well be good. */
export function Empty({ children }: { children: ReactNode }) {
  return (
    <Quiet as="p">{children}</Quiet>
  );
}
