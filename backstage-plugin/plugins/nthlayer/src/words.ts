import type { Action, ArtefactState, Change, EntityRow, Spot } from '@nthlayer/backstage-plugin-nthlayer-common';

/** How much a state matters; also its colour. */
export type Weight = 'success' | 'info' | 'warning' | 'danger' | 'neutral';

type Said = { label: string; weight: Weight; means: string };

export const STATES: Record<ArtefactState, Said> = {
  applied: { label: 'Live', weight: 'success', means: 'It is live as it is wanted.' },
  pending: { label: 'To come', weight: 'info', means: 'It is written, or goes, with the next apply.' },
  drifted: { label: 'Drifted', weight: 'warning', means: 'Somebody changed it; it is left so until a person decides.' },
  waiting: { label: 'Waiting', weight: 'warning', means: 'Its write waits for an approval, a window, or the end of a pause.' },
  held: { label: 'Held', weight: 'warning', means: 'Nobody asks for it any more, and it is not deleted now.' },
  refused: { label: 'Refused', weight: 'danger', means: 'It cannot be made, or something foreign stands in its place.' },
};

export const STANDINGS: Record<EntityRow['standing'], { label: string; weight: Weight }> = {
  managed: { label: 'Managed', weight: 'success' },
  held: { label: 'Held', weight: 'warning' },
  unmanaged: { label: 'Not managed', weight: 'neutral' },
};

export const ACTIONS: Record<Action, string> = {
  create: 'Create',
  update: 'Update',
  delete: 'Delete',
  adopt: 'Take over',
  nothing: 'Nothing',
  keep: 'Keep as it is',
  hold: 'Hold back',
  wait: 'Wait',
  refuse: 'Refuse',
};

/** A category of artefacts as a heading. */
export function categoryLabel(category: string | null): string {
  return category ? category.charAt(0).toUpperCase() + category.slice(1) : 'No longer on';
}

/** What an artefact is called: its name where its kind has several of an entity, else its kind. */
export function artefactLabel(kind: string, name: string): string {
  const word = kind.split('/')[1].replaceAll('_', ' ');
  return name ? `${word}: ${name}` : word;
}

/** The tool that a kind belongs to. */
export function toolOf(kind: string): string {
  return kind.split('/')[0];
}

/** Where something stands, short enough for a line. */
export function placeLabel(place: Spot): string {
  const root = place.root.replace(/\.git$/, '').split('/').slice(-2).join('/');
  return `${root}: ${place.path}`;
}

export function changeLabel(change: Change): string {
  return `${toolOf(change.kind)} ${artefactLabel(change.kind, change.name)}`;
}

/** `1 service`, `2 services`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-GB')} ${count === 1 ? one : many}`;
}

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [86400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
];

/** `3 minutes ago`, of seconds since 1970. */
export function ago(at: number, now = Date.now() / 1000): string {
  const passed = Math.max(0, now - at);
  const format = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' });
  for (const [seconds, unit] of STEPS) {
    if (passed >= seconds) return format.format(-Math.floor(passed / seconds), unit);
  }
  return 'just now';
}

/** A point in time in full, of seconds since 1970. */
export function moment(at: number): string {
  return new Date(at * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}
