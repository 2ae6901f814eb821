import type { ArtefactState, Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { counted, type Weight } from '../words';

/** Something about an entity that somebody should look at. */
export type Attention = { weight: Weight; text: string };

/** How many artefacts of an entity stand in a state. */
export function inState(entity: Entity, state: ArtefactState): number {
  return Object.values(entity.artefacts).reduce((sum, counts) => sum + (counts[state] ?? 0), 0);
}

export function artefactCount(entity: Entity): number {
  return Object.values(entity.artefacts).reduce(
    (sum, counts) => sum + Object.values(counts).reduce<number>((all, count) => all + (count ?? 0), 0),
    0,
  );
}

const COUNTED: [ArtefactState, Weight, string][] = [
  ['refused', 'danger', 'refused'],
  ['drifted', 'warning', 'changed by hand'],
  ['waiting', 'warning', 'waiting'],
  ['held', 'warning', 'held back from being deleted'],
];

/** What needs attention, the worst first. */
export function attentionOf(entity: Entity): Attention[] {
  const found: Attention[] = [];
  if (entity.last_run?.error) found.push({ weight: 'danger', text: `The last run failed: ${entity.last_run.error}` });
  for (const { severity, message } of entity.findings) {
    if (severity !== 'note') found.push({ weight: severity === 'error' ? 'danger' : 'warning', text: message });
  }
  for (const [state, weight, words] of COUNTED) {
    const count = inState(entity, state);
    if (count) found.push({ weight, text: `${counted(count, 'artefact')} ${words}` });
  }
  return found.sort((a, b) => Number(b.weight === 'danger') - Number(a.weight === 'danger'));
}
