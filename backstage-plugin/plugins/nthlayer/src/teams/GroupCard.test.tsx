import { screen } from '@testing-library/react';
import { NthlayerError } from '@nthlayer/backstage-plugin-nthlayer-common';
import { describe, expect, it } from 'vitest';
import { SystemCard } from '../systems/SystemCard';
import { entity, oncall, TEAM } from '../testing/answers';
import { Daemon, expectAccessible, show } from '../testing/shown';
import { GroupCard } from './GroupCard';

const team = { ...entity, ref: TEAM, kind: 'group', name: 'payments-team', artefacts: {}, promises: [], waiting: [] };
const group = { kind: 'Group', name: 'payments-team' };

describe('the card of a group', () => {
  it('shows what it owns, who can be reached and who is called', async () => {
    const { container } = show(<GroupCard />, { ...group, daemon: new Daemon({ '/api/v1/entities/{ref}': team }) });
    expect(await screen.findByText('#payments')).toBeTruthy();
    expect(screen.getByText('Ada Lovelace')).toBeTruthy();
    expect(await screen.findByText('grace@example.com')).toBeTruthy();
    expect(screen.getByText('Mon 23 Nov, 22:51')).toBeTruthy();
    expect((await screen.findByRole('link', { name: 'payments-api' })).getAttribute('href')).toBe(
      '/catalog/default/component/payments-api',
    );
    await expectAccessible(container);
  });

  it('says where nobody is called, and where nothing is owned', async () => {
    const daemon = new Daemon({
      '/api/v1/entities/{ref}': team,
      '/api/v1/entities/{ref}/oncall': new NthlayerError('missing', 'no team', 404),
      '/api/v1/entities': { items: [], next: null },
    });
    const { container } = show(<GroupCard />, { ...group, daemon });
    expect(await screen.findByText(/Nobody: it owns no service/)).toBeTruthy();
    expect(await screen.findByText('It owns no service.')).toBeTruthy();
    await expectAccessible(container);
  });

  it('says where a rotation is only planned', async () => {
    const daemon = new Daemon({
      '/api/v1/entities/{ref}': team,
      '/api/v1/entities/{ref}/oncall': { ...oncall, connected: false, note: 'one rotation for all' },
    });
    show(<GroupCard />, { ...group, daemon });
    expect(await screen.findByText(/no tool for on-call is asked/)).toBeTruthy();
    expect(screen.getByText('One rotation for all.')).toBeTruthy();
  });

  it.each([
    ['away', 503, 'NthLayer cannot be reached'],
    ['denied', 403, 'You may not see this'],
    ['missing', 404, 'NthLayer does not know this'],
  ] as const)('says what is wrong: %s', async (trouble, code, title) => {
    const daemon = new Daemon({ '/api/v1/entities/{ref}': new NthlayerError(trouble, 'so it is', code) });
    const { container } = show(<GroupCard />, { ...group, daemon });
    expect(await screen.findByText(title)).toBeTruthy();
    await expectAccessible(container);
  });
});

describe('the card of a system', () => {
  it('shows its services', async () => {
    const { container } = show(<SystemCard />, { kind: 'System', name: 'checkout' });
    expect(await screen.findByRole('link', { name: 'payments-api' })).toBeTruthy();
    expect(screen.getByText('Managed')).toBeTruthy();
    await expectAccessible(container);
  });

  it('says that nobody answers', async () => {
    const daemon = new Daemon({ '/api/v1/entities': new NthlayerError('away', 'connection refused', 503) });
    show(<SystemCard />, { kind: 'System', name: 'checkout', daemon });
    expect(await screen.findByText('NthLayer cannot be reached')).toBeTruthy();
  });
});
