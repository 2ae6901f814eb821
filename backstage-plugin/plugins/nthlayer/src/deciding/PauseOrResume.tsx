import type { Entity } from '@nthlayer/backstage-plugin-nthlayer-common';
import { useAsk } from '../hooks/useAsk';
import { Confirm } from './Confirm';

type Props = { entity: Entity; after: () => void };

/** Pauses an entity, or ends its pause. One that stands in the catalog, or holds for everything, is ended elsewhere. */
export function PauseOrResume({ entity, after }: Props) {
  const pause = useAsk('/api/v1/pause', after);
  const resume = useAsk('/api/v1/resume', after);
  if (!entity.pause) {
    return (
      <Confirm
        key="pause"
        label="Pause"
        title={`Pause ${entity.name}`}
        reason="Why? Those who come upon it read this."
        pending={pause.pending}
        error={pause.error}
        confirm={reason => pause.ask({ entity: entity.ref, reason })}
      >
        Plans are made and shown, and nothing is written until somebody resumes it.
      </Confirm>
    );
  }
  if (entity.pause.at === null || entity.pause.entity !== entity.ref) return null;
  return (
    <Confirm
      key="resume"
      label="Resume"
      title={`Resume ${entity.name}`}
      pending={resume.pending}
      error={resume.error}
      confirm={() => resume.ask({ entity: entity.ref })}
    >
      What was held back by the pause is written again.
    </Confirm>
  );
}
