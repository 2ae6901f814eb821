import axe from 'axe-core';
import { EntityProvider, entityRouteRef } from '@backstage/plugin-catalog-react';
import { mockApis, renderInTestApp } from '@backstage/frontend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import type { AskPath, LookPath, NthlayerApi, Sent } from '@nthlayer/backstage-plugin-nthlayer-common';
import { SWRConfig } from 'swr';
import { expect } from 'vitest';
import { nthlayerApiRef } from '../api';
import { answers, type Answers } from './answers';

/** Answers from memory, and remembers what was asked for. */
export class Daemon implements NthlayerApi {
  readonly asked: [AskPath, unknown][] = [];
  answers: Answers;
  /** What a command fails with. */
  refusal: Error | undefined;

  constructor(own: Answers = {}) {
    this.answers = { ...answers, ...own };
  }

  async look<P extends LookPath>(path: P): Promise<never> {
    const answer = this.answers[path];
    if (answer instanceof Error) throw answer;
    return answer === undefined ? new Promise<never>(() => undefined) : (answer as never);
  }

  async ask<P extends AskPath>(path: P, body: Sent<P>): Promise<void> {
    this.asked.push([path, body]);
    if (this.refusal) throw this.refusal;
  }
}

type Options = { daemon?: Daemon; kind?: string; name?: string; denied?: string[]; annotations?: Record<string, string> };

/** Shows something on the page of an entity. */
export function show(element: JSX.Element, options: Options = {}) {
  const { daemon = new Daemon(), kind = 'Component', name = 'payments-api', denied = [], annotations } = options;
  const entity = {
    apiVersion: 'backstage.io/v1alpha1',
    kind,
    metadata: { name, namespace: 'default', annotations },
    spec: { type: 'service', lifecycle: 'production', owner: 'payments-team' },
  };
  const permission = mockApis.permission({
    authorize: request =>
      denied.includes(request.permission.name) ? AuthorizeResult.DENY : AuthorizeResult.ALLOW,
  });
  const rendered = renderInTestApp(
    // What one test is allowed is remembered for no other.
    <SWRConfig value={{ provider: () => new Map() }}>
      <EntityProvider entity={entity}>{element}</EntityProvider>
    </SWRConfig>,
    {
    apis: [[nthlayerApiRef, daemon], permission],
    mountedRoutes: { '/catalog/:namespace/:kind/:name': entityRouteRef },
    },
  );
  return { daemon, ...rendered };
}

/** Nobody is kept out by what is shown (axe-core; colours need a browser, and are looked at there). */
export async function expectAccessible(container: HTMLElement): Promise<void> {
  const { violations } = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false }, 'heading-order': { enabled: false } },
  });
  expect(violations.map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`)).toEqual([]);
}
