import type {
  Artefacts,
  Change,
  Diff,
  Entity,
  Found,
  Graph,
  LookPath,
  Neighbourhood,
  OnCall,
  Run,
  Status,
} from '@nthlayer/backstage-plugin-nthlayer-common';

/** What the daemon answers about a sample organisation. */

export const PAYMENTS = 'component:default/payments-api';
export const TEAM = 'group:default/payments-team';

export const waiting: Change = {
  key: '0123456789abcdef',
  entity: PAYMENTS,
  kind: 'prometheus/alert_rules',
  name: '',
  action: 'wait',
  place: { root: 'https://github.com/acme/operations', path: 'default/payments-api/alerts.yaml' },
  was: null,
  owner: TEAM,
  reason: `approval of ${TEAM}`,
};

export const drifted: Change = {
  ...waiting,
  key: 'fedcba9876543210',
  kind: 'kubernetes/hpa',
  action: 'keep',
  reason: 'it was changed by hand',
};

export const entity: Entity = {
  ref: PAYMENTS,
  kind: 'component',
  name: 'payments-api',
  namespace: 'default',
  title: '',
  description: 'Takes payments',
  type: 'service',
  lifecycle: 'production',
  tags: [],
  place: null,
  owner: { ref: TEAM, label: 'Payments', email: 'payments@example.com', channel: '#payments', people: ['Ada Lovelace'] },
  system: 'system:default/checkout',
  domain: null,
  tier: '1',
  standing: 'managed',
  promises: ['99.95% of requests succeed'],
  blueprint: [
    { path: 'tier', value: '1', origin: 'annotation nthlayer.dev/tier' },
    { path: 'incident.page', value: true, origin: 'tier 1' },
  ],
  findings: [],
  artefacts: { observability: { applied: 3, waiting: 1 }, cost: { drifted: 1 } },
  pause: null,
  last_run: null,
  waiting: [waiting],
};

export const artefacts: Artefacts = {
  entity: PAYMENTS,
  categories: [
    {
      category: 'cost',
      kinds: [
        {
          kind: 'kubernetes/hpa',
          summary: 'how a service scales',
          artefacts: [
            {
              name: '',
              state: 'drifted',
              reason: drifted.reason,
              place: drifted.place,
              link: 'https://github.com/acme/operations/blob/HEAD/hpa.yaml',
              remote: '',
              owner: TEAM,
              change: drifted,
            },
          ],
        },
      ],
    },
    {
      category: 'observability',
      kinds: [
        {
          kind: 'prometheus/alert_rules',
          summary: 'alerts',
          artefacts: [
            {
              name: '',
              state: 'waiting',
              reason: waiting.reason,
              place: waiting.place,
              link: '',
              remote: 'R1',
              owner: TEAM,
              change: waiting,
            },
          ],
        },
      ],
    },
  ],
};

export const diff: Diff = {
  change: drifted,
  before: 'spec:\n  maxReplicas: 40\n',
  after: 'spec:\n  maxReplicas: 20\n',
  trouble: '',
  outlook: '',
};

export const neighbourhood: Neighbourhood = {
  dependencies: [
    {
      ref: 'component:default/ledger',
      name: 'ledger',
      kind: 'component',
      tier: '1',
      owner: TEAM,
      technology: '',
      availability: '99.95',
      known: true,
    },
  ],
  dependents: [],
  rings: [['component:default/orders']],
  reached: { '1': 1 },
};

export const graph: Graph = {
  nodes: [PAYMENTS, 'component:default/ledger', 'component:default/orders'].map(ref => ({
    ref,
    name: ref.slice('component:default/'.length),
    kind: 'component',
    tier: '1',
    owner: TEAM,
    known: true,
  })),
  edges: [
    { source: PAYMENTS, relation: 'dependsOn', target: 'component:default/ledger', origins: ['git'], confidence: 1 },
    { source: 'component:default/orders', relation: 'dependsOn', target: PAYMENTS, origins: ['code'], confidence: 0.6 },
  ],
};

export const oncall: OnCall = {
  entity: TEAM,
  schedules: [
    {
      name: 'payments primary (UTC)',
      turns: [
        'Mon 2026-11-23 22:51 to Sat 2026-11-28 09:00  grace@example.com',
        'Sat 2026-11-28 09:00 to Mon 2026-11-30 09:00  ada@example.com',
      ],
    },
  ],
  connected: true,
  note: '',
};

export const run: Run = {
  id: 'r1',
  trigger: 'catalog changed',
  replica: 'one',
  started: 1_790_000_000,
  state: 'done',
  ended: 1_790_000_005,
  plan: 'p1',
  looked_at: 2,
  entities: [PAYMENTS],
  outcomes: { applied: 3 },
  waiting: 0,
  error: '',
};

export const status: Status = {
  replica: 'one',
  leading: true,
  synced: 1_790_000_000,
  subjects: 3,
  configs: 120,
  unsettled: 1,
  backlog: {},
  failing: { 'component:default/cart': 'its repository cannot be reached' },
  pauses: [],
  consents: [],
  wave: null,
};

/** What is answered, by path. An error is thrown; a path without an answer never answers. */
export type Answers = { [P in LookPath]?: Found<P> | Error };

export const answers: Answers = {
  '/api/v1/entities/{ref}': entity,
  '/api/v1/entities/{ref}/may': { name: 'user:default/ada', role: 'viewer', ask: true, approve: [waiting.key] },
  '/api/v1/entities/{ref}/artefacts': artefacts,
  '/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/text': {
    entity: PAYMENTS,
    kind: 'kubernetes/hpa',
    name: '',
    place: null,
    media_type: 'application/yaml',
    text: '# Managed\nspec:\n  minReplicas: 3\n',
  },
  '/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/why': {
    entity: PAYMENTS,
    kind: 'kubernetes/hpa',
    name: '',
    leaves: [
      {
        path: 'spec.minReplicas',
        value: '3',
        reasons: [{ input: 'cost.autoscaling.min', value: '3', origin: 'tier 1' }],
      },
    ],
  },
  '/api/v1/entities/{ref}/artefacts/{plugin}/{kind}/diff': diff,
  '/api/v1/entities/{ref}/neighbourhood': neighbourhood,
  '/api/v1/entities/{ref}/oncall': oncall,
  '/api/v1/graph': graph,
  '/api/v1/entities': {
    items: [
      {
        ref: PAYMENTS,
        kind: 'component',
        name: 'payments-api',
        title: '',
        type: 'service',
        owner: TEAM,
        system: null,
        tier: '1',
        standing: 'managed',
      },
    ],
    next: null,
  },
  '/api/v1/status': status,
  '/api/v1/coverage': { items: [{ kind: 'component', tier: '1', managed: 7, held: 1, unmanaged: 2 }] },
  '/api/v1/sources': { items: [{ name: 'catalog', type: 'git', complete: false, reason: 'it was cut off', stale: 90 }] },
  '/api/v1/me': { name: 'user:default/ada', role: 'operator', groups: [TEAM] },
  '/api/v1/waiting': { items: [waiting], next: null },
  '/api/v1/held': { items: [], next: null },
  '/api/v1/drift': { items: [drifted], next: null },
  '/api/v1/conflicts': {
    items: [
      {
        entity: 'component:default/search',
        field: 'owner',
        values: { shop: 'group:default/search-team', codeowners: 'group:default/shop-team' },
        winner: 'shop',
      },
    ],
    next: null,
  },
  '/api/v1/findings': { items: [], next: null },
  '/api/v1/runs': { items: [run], next: null },
};
