import { useId, type ReactNode } from 'react';
import { Card, CardBody, CardHeader, Flex, Text } from '@backstage/ui';

type Props = { title: string; actions?: ReactNode; children: ReactNode };

/** A part of a page with its heading. */
export function Section({ title, actions, children }: Props) {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <Card>
        <CardHeader>
          <Flex justify="between" align="center" gap="3">
            <Text as="h2" id={id} variant="title-x-small" weight="bold">
              {title}
            </Text>
            {actions}
          </Flex>
        </CardHeader>
        <CardBody>{children}</CardBody>
      </Card>
    </section>
  );
}
