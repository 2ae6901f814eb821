import type { ReactNode } from 'react';
import { Container, Flex } from '@backstage/ui';

/** The frame of a page below the header of the plugin. */
export function Padded({ children }: { children: ReactNode }) {
  return (
    <Container>
      <Flex direction="column" gap="4" align="stretch" style={{ paddingBottom: 'var(--bui-space-5)' }}>
        {children}
      </Flex>
    </Container>
  );
}
