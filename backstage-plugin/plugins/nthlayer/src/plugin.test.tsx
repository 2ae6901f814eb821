import { screen } from '@testing-library/react';
import { renderTestApp } from '@backstage/frontend-test-utils';
import { entityRouteRef } from '@backstage/plugin-catalog-react';
import { describe, expect, it } from 'vitest';
import plugin, { nthlayerApiRef } from './index';
import { Daemon } from './testing/shown';

describe('the plugin', () => {
  it.each([
    'api:nthlayer',
    'entity-card:nthlayer/component',
    'entity-card:nthlayer/group',
    'entity-card:nthlayer/system',
    'entity-content:nthlayer/operations',
    'page:nthlayer',
    'sub-page:nthlayer/overview',
    'sub-page:nthlayer/decisions',
    'sub-page:nthlayer/findings',
    'sub-page:nthlayer/runs',
  ])('has %s, which people name in app-config.yaml', id => {
    expect(plugin.getExtension(id as Parameters<typeof plugin.getExtension>[0])).toBeTruthy();
  });

  it('has a page of its own in an app', async () => {
    renderTestApp({
      features: [plugin],
      apis: [[nthlayerApiRef, new Daemon()]],
      initialRouteEntries: ['/nthlayer'],
      mountedRoutes: { '/catalog/:namespace/:kind/:name': entityRouteRef },
    });
    expect(await screen.findByText('7 of 10 services managed')).toBeTruthy();
  });
});
