import type { Artefact, Artefacts } from '@nthlayer/backstage-plugin-nthlayer-common';

/** The artefacts of one kind. */
export type Kind = Artefacts['categories'][number]['kinds'][number];

/** An artefact with its kind. */
export type Chosen = { kind: Kind; artefact: Artefact };

/** What tells an artefact apart among those of an entity; it stands in the address of the page. */
export function keyOf({ kind, artefact }: Chosen): string {
  return artefact.name ? `${kind.kind} ${artefact.name}` : kind.kind;
}

/** How an artefact is asked for. */
export function pathOf(entity: string, kind: string, name: string) {
  const [plugin, own] = kind.split('/');
  return { path: { ref: entity, plugin, kind: own }, query: { name } };
}
