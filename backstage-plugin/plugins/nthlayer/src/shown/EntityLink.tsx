import { EntityRefLink } from '@backstage/plugin-catalog-react';
import { parseEntityRef } from '@backstage/catalog-model';

/** An entity by its name, linked to its page. What is no entity of the catalog is only named. */
export function EntityLink({ of, known = true }: { of: string; known?: boolean }) {
  const name = nameOf(of);
  return known && !of.startsWith('organisation:') ? (
    <EntityRefLink entityRef={of} hideIcon disableTooltip>
      {name}
    </EntityRefLink>
  ) : (
    <>{name}</>
  );
}

export function nameOf(ref: string): string {
  try {
    return parseEntityRef(ref).name;
  } catch {
    return ref;
  }
}
