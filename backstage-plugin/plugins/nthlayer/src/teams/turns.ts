import type { OnCall } from '@nthlayer/backstage-plugin-nthlayer-common';

/** One turn of a schedule: who is called, from when to when by the clock of the schedule. */
export type Turn = { from: string; until: string; who: string };

export type Schedule = { name: string; turns: Turn[] };

/** A line is `Mon 2026-11-23 09:00 to Mon 2026-11-30 09:00  grace@example.com`. */
const LINE = /^(.+?) to (.+?) {2,}(.+)$/;

export function schedulesOf(oncall: OnCall): Schedule[] {
  return oncall.schedules.map(({ name, turns }) => ({
    name,
    turns: turns.map(line => {
      const parts = LINE.exec(line);
      return parts ? { from: parts[1], until: parts[2], who: parts[3] } : { from: '', until: '', who: line };
    }),
  }));
}

/** `Mon 2026-11-30 09:00` as `Mon 30 Nov, 09:00`. */
export function briefly(time: string): string {
  const parts = /^\w{3} (\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})$/.exec(time);
  if (!parts) return time;
  const day = new Date(`${parts[1]}T00:00:00Z`);
  const said = day.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
  return `${said}, ${parts[2]}`;
}
