import { ButtonLink } from '@backstage/ui';
import { RiBookOpenLine } from '@remixicon/react';
import { useEntity } from '@backstage/plugin-catalog-react';
import { DEFAULT_NAMESPACE } from '@backstage/catalog-model';

/** The annotation that TechDocs finds the site of an entity by. */
const TECHDOCS = 'backstage.io/techdocs-ref';

/** The runbook in TechDocs, where the entity has a site. */
export function RunbookLink() {
  const { entity } = useEntity();
  if (!entity.metadata.annotations?.[TECHDOCS] || entity.kind.toLowerCase() !== 'component') return null;
  const { namespace = DEFAULT_NAMESPACE, name } = entity.metadata;
  const path = [namespace, entity.kind.toLowerCase(), name].map(encodeURIComponent).join('/');
  return (
    <ButtonLink href={`/docs/${path}/runbook`} size="small" variant="secondary" iconStart={<RiBookOpenLine />}>
      Runbook
    </ButtonLink>
  );
}
