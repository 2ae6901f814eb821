import { useLook } from '../hooks/useLook';
import { Quiet } from '../shown/Quiet';
import { briefly, schedulesOf } from './turns';

/** Who of a team is called now. It is one fact among others, so that its own troubles are told in a line. */
export function OnCallNow({ team }: { team: string }) {
  const look = useLook('/api/v1/entities/{ref}/oncall', { path: { ref: team }, query: { weeks: 1 } });
  if (look.found === undefined) {
    if (!look.error) return <Quiet size="small">Loading…</Quiet>;
    return <Quiet size="small">{look.error.trouble === 'missing' ? 'Nobody is called for this team' : look.error.message}</Quiet>;
  }
  const [first] = schedulesOf(look.found);
  if (!first?.turns.length) return <Quiet size="small">{look.found.note || 'Nobody'}</Quiet>;
  const { who, until } = first.turns[0];
  return (
    <>
      {who} <Quiet size="small">until {briefly(until)}{look.found.connected ? '' : ' (as planned)'}</Quiet>
    </>
  );
}
