import { createFrontendPlugin, createRouteRef, PageBlueprint, SubPageBlueprint } from '@backstage/frontend-plugin-api';
import { EntityCardBlueprint, EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import { RiStackLine } from '@remixicon/react';
import { nthlayerApi } from './api';

const rootRouteRef = createRouteRef();

const componentCard = EntityCardBlueprint.make({
  name: 'component',
  params: {
    type: 'info',
    filter: { kind: 'component' },
    loader: () => import('./overview/ComponentCard').then(m => <m.ComponentCard />),
  },
});

const groupCard = EntityCardBlueprint.make({
  name: 'group',
  params: {
    type: 'content',
    filter: { kind: 'group' },
    loader: () => import('./teams/GroupCard').then(m => <m.GroupCard />),
  },
});

const systemCard = EntityCardBlueprint.make({
  name: 'system',
  params: {
    type: 'content',
    filter: { kind: 'system' },
    loader: () => import('./systems/SystemCard').then(m => <m.SystemCard />),
  },
});

const tab = EntityContentBlueprint.make({
  name: 'operations',
  params: {
    path: '/nthlayer',
    title: 'NthLayer',
    group: 'operation',
    filter: { $any: [{ kind: 'component' }, { kind: 'group' }] },
    loader: () => import('./artefacts/EntityTab').then(m => <m.EntityTab />),
  },
});

const page = PageBlueprint.make({
  params: { path: '/nthlayer', title: 'NthLayer', icon: <RiStackLine />, routeRef: rootRouteRef },
});

const overview = SubPageBlueprint.make({
  name: 'overview',
  params: {
    path: 'overview',
    title: 'Overview',
    loader: () => import('./organisation/Overview').then(m => <m.Overview />),
  },
});

const decisions = SubPageBlueprint.make({
  name: 'decisions',
  params: {
    path: 'decisions',
    title: 'Decisions',
    loader: () => import('./organisation/Decisions').then(m => <m.Decisions />),
  },
});

const findings = SubPageBlueprint.make({
  name: 'findings',
  params: {
    path: 'findings',
    title: 'Findings',
    loader: () => import('./organisation/Findings').then(m => <m.Findings />),
  },
});

const runs = SubPageBlueprint.make({
  name: 'runs',
  params: {
    path: 'runs',
    title: 'Runs',
    loader: () => import('./organisation/Runs').then(m => <m.Runs />),
  },
});

/** NthLayer: cards and a tab on the pages of entities, and a page for the organisation. */
export default createFrontendPlugin({
  pluginId: 'nthlayer',
  title: 'NthLayer',
  icon: <RiStackLine />,
  info: { packageJson: () => import('../package.json') },
  routes: { root: rootRouteRef },
  extensions: [nthlayerApi, componentCard, groupCard, systemCard, tab, page, overview, decisions, findings, runs],
});
