import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { NthlayerError } from '@nthlayer/backstage-plugin-nthlayer-common';
import { describe, expect, it } from 'vitest';
import { answers, entity } from '../testing/answers';
import { Daemon, expectAccessible, show } from '../testing/shown';
import { ComponentCard } from './ComponentCard';

const ENTITY = '/api/v1/entities/{ref}';

describe('the card of a component', () => {
  it('shows what it promises, who is called, and what needs attention', async () => {
    const { container } = show(<ComponentCard />);
    expect(await screen.findByText('99.95% of requests succeed')).toBeTruthy();
    expect(screen.getByText('Tier 1')).toBeTruthy();
    expect(await screen.findByText(/grace@example.com/)).toBeTruthy();
    expect(screen.getByText('1 artefact drifted')).toBeTruthy();
    expect(screen.getByText('1 artefact waiting')).toBeTruthy();
    expect(screen.getByRole('link', { name: /Artefacts and dependencies/ }).getAttribute('href')).toBe(
      '/catalog/default/component/payments-api/nthlayer',
    );
    await expectAccessible(container);
  });

  it('says that it loads', async () => {
    const { container } = show(<ComponentCard />, { daemon: new Daemon({ [ENTITY]: undefined }) });
    expect(await screen.findByText('Loading what NthLayer knows of this')).toBeTruthy();
    await expectAccessible(container);
  });

  it('says why nothing is made for what has no tier', async () => {
    const daemon = new Daemon({ [ENTITY]: { ...entity, standing: 'unmanaged', tier: '' } });
    const { container } = show(<ComponentCard />, { daemon });
    expect(await screen.findByText('nthlayer.dev/tier')).toBeTruthy();
    await expectAccessible(container);
  });

  it('says that nobody answers, and tries again', async () => {
    const daemon = new Daemon({ [ENTITY]: new NthlayerError('away', 'connection refused', 503) });
    const { container } = show(<ComponentCard />, { daemon });
    expect(await screen.findByText('NthLayer cannot be reached')).toBeTruthy();
    await expectAccessible(container);
    daemon.answers = answers;
    await userEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Tier 1')).toBeTruthy();
  });

  it('says that one may not look, and offers nothing that would not help', async () => {
    const daemon = new Daemon({ [ENTITY]: new NthlayerError('denied', 'this takes the permission nthlayer.read', 403) });
    const { container } = show(<ComponentCard />, { daemon });
    expect(await screen.findByText('You may not see this')).toBeTruthy();
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
    await expectAccessible(container);
  });

  it('shows a pause', async () => {
    const pause = { entity: entity.ref, by: 'user:default/ada', at: 1_790_000_000, reason: 'moving house' };
    const { container } = show(<ComponentCard />, { daemon: new Daemon({ [ENTITY]: { ...entity, pause } }) });
    expect(await screen.findByText(/moving house/)).toBeTruthy();
    await expectAccessible(container);
  });
});
