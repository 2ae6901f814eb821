import {
  type RootConfigService,
  type SchedulerServiceTaskScheduleDefinition,
} from '@backstage/backend-plugin-api';
import { readDurationFromConfig } from '@backstage/config';
import { keysOf } from './signature';

/** The topic of the daemon's events, and the last part of the address that they are sent to. */
export const TOPIC = 'nthlayer';

export interface Settings {
  url: string;
  token?: string;
  /** What deliveries are signed with, both ways; none where nothing is to be signed. */
  keys: readonly Buffer[];
  annotations: SchedulerServiceTaskScheduleDefinition;
  changes: SchedulerServiceTaskScheduleDefinition;
}

export function settingsOf(config: RootConfigService): Settings {
  const own = config.getConfig('nthlayer');
  const every = (key: string): SchedulerServiceTaskScheduleDefinition => ({
    frequency: own.has(key)
      ? readDurationFromConfig(own, { key })
      : { seconds: 30 },
    timeout: { minutes: 2 },
    initialDelay: { seconds: 3 },
    scope: 'global',
  });
  return {
    url: own.getString('url'),
    token: own.getOptionalString('token'),
    keys: own.has('webhook.secret')
      ? keysOf(own.getString('webhook.secret'))
      : [],
    annotations: every('annotations.every'),
    changes: every('changes.every'),
  };
}
