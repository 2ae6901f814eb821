import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { NthlayerError, type LookPath } from '@nthlayer/backstage-plugin-nthlayer-common';
import { describe, expect, it } from 'vitest';
import { waiting } from '../testing/answers';
import { Daemon, expectAccessible, show } from '../testing/shown';
import { Decisions } from './Decisions';
import { Findings } from './Findings';
import { Overview } from './Overview';
import { Runs } from './Runs';

const PATHS: LookPath[] = [
  '/api/v1/status',
  '/api/v1/coverage',
  '/api/v1/sources',
  '/api/v1/waiting',
  '/api/v1/held',
  '/api/v1/drift',
  '/api/v1/conflicts',
  '/api/v1/findings',
  '/api/v1/runs',
];
const PAGES: [string, () => JSX.Element][] = [
  ['overview', Overview],
  ['decisions', Decisions],
  ['findings', Findings],
  ['runs', Runs],
];

describe('the page of the organisation', () => {
  it('counts what is managed, says what fails and what is read', async () => {
    const { container, daemon } = show(<Overview />);
    expect(await screen.findByText('7 of 10 services managed')).toBeTruthy();
    expect(await screen.findByText('its repository cannot be reached')).toBeTruthy();
    expect(await screen.findByText('Incomplete')).toBeTruthy();
    await userEvent.click(await screen.findByRole('button', { name: 'Read all now' }));
    expect(daemon.asked).toEqual([['/api/v1/sync', { sources: [] }]]);
    await expectAccessible(container);
  });

  it('has what waits approved', async () => {
    const { container, daemon } = show(<Decisions />);
    await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
    const dialog = await screen.findByRole('dialog');
    expect(within(dialog).getByText('prometheus alert rules')).toBeTruthy();
    await userEvent.click(within(dialog).getByRole('button', { name: 'Approve' }));
    expect(daemon.asked).toEqual([['/api/v1/approve', { entity: waiting.entity, changes: [waiting.key] }]]);
    await expectAccessible(container);
  });

  it('links to the plan where one may not decide about everything', async () => {
    show(<Decisions />, { denied: ['nthlayer.approve'] });
    expect((await screen.findByRole('link', { name: 'Look at payments-api' })).getAttribute('href')).toBe(
      '/catalog/default/component/payments-api/nthlayer?view=changes',
    );
    expect(screen.queryByRole('button', { name: 'Approve' })).toBeNull();
  });

  it('shows where sources contradict each other', async () => {
    const { container } = show(<Findings />);
    expect(await screen.findByText(/codeowners: group:default\/shop-team/)).toBeTruthy();
    expect(await screen.findByText('Nothing is wrong.')).toBeTruthy();
    await expectAccessible(container);
  });

  it('undoes a run', async () => {
    const { container, daemon } = show(<Runs />);
    await userEvent.click(await screen.findByRole('button', { name: 'Undo' }));
    await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Undo' }));
    expect(daemon.asked).toEqual([['/api/v1/undo', { plan: 'p1' }]]);
    await expectAccessible(container);
  });

  it.each(PAGES)('says that nobody answers: %s', async (_, Page) => {
    const away = new NthlayerError('away', 'connection refused', 503);
    const { container } = show(<Page />, { daemon: new Daemon(Object.fromEntries(PATHS.map(path => [path, away]))) });
    expect((await screen.findAllByText('NthLayer cannot be reached')).length).toBeGreaterThan(0);
    await expectAccessible(container);
  });

  it.each(PAGES)('says that it loads: %s', async (_, Page) => {
    const { container } = show(<Page />, {
      daemon: new Daemon(Object.fromEntries(PATHS.map(path => [path, undefined]))),
    });
    expect((await screen.findAllByText(/^Loading/)).length).toBeGreaterThan(0);
    await expectAccessible(container);
  });
});
