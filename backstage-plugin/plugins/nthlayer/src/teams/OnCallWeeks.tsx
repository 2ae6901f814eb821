import { useLook } from '../hooks/useLook';
import { DataTable } from '../shown/DataTable';
import { nameOf } from '../shown/EntityLink';
import { Empty, Looked } from '../shown/Looked';
import { briefly, schedulesOf, type Turn } from './turns';

const WEEKS = 4;

/** Who of a team is called in the next weeks: a column for each schedule, a row for each turn of the first. */
export function OnCallWeeks({ team }: { team: string }) {
  const look = useLook('/api/v1/entities/{ref}/oncall', { path: { ref: team }, query: { weeks: WEEKS } });
  if (look.error?.trouble === 'missing') return <Empty>Nobody: it owns no service that pages somebody.</Empty>;
  return (
    <Looked of={look} what="who is on call">
      {found => {
        const schedules = schedulesOf(found).filter(schedule => schedule.turns.length > 0);
        const [first] = schedules;
        return (
          <>
            <DataTable
              caption="Who is called when"
              columns={[
                { title: 'From', cell: (turn: Turn) => <Time of={turn.from} /> },
                { title: 'Until', cell: (turn: Turn) => <Time of={turn.until} /> },
                ...schedules.map(schedule => ({
                  title: ownName(schedule.name, team),
                  cell: (turn: Turn) => schedule.turns.find(each => each.from === turn.from)?.who ?? '–',
                })),
              ]}
              rows={first?.turns ?? []}
              id={turn => turn.from}
              empty={found.note || 'Nobody is called for this team.'}
            />
            {!found.connected && first && <Empty>So it is planned; no tool for on-call is asked.</Empty>}
            {found.note && first && <Empty>{`${found.note.charAt(0).toUpperCase()}${found.note.slice(1)}.`}</Empty>}
          </>
        );
      }}
    </Looked>
  );
}

function Time({ of }: { of: string }) {
  return <span style={{ whiteSpace: 'nowrap' }}>{briefly(of)}</span>;
}

/** A schedule's name without the team's, which stands above it already. */
function ownName(schedule: string, team: string): string {
  const before = `${nameOf(team)} `;
  return schedule.startsWith(before) ? schedule.slice(before.length) : schedule;
}
