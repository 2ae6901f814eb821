import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { NthlayerError } from '@nthlayer/backstage-plugin-nthlayer-common';
import { describe, expect, it } from 'vitest';
import { entity, PAYMENTS, waiting } from '../testing/answers';
import { Daemon, expectAccessible, show } from '../testing/shown';
import { EntityTab } from './EntityTab';

describe('the tab', () => {
  it('shows artefacts by category, and the first that needs somebody', async () => {
    const { container } = show(<EntityTab />);
    const list = await screen.findByRole('navigation', { name: 'Artefacts' });
    expect(within(list).getByText('Cost')).toBeTruthy();
    expect(within(list).getByText('Drifted')).toBeTruthy();
    expect(await screen.findByText(/maxReplicas: 40/)).toBeTruthy();
    expect(screen.getByRole('link', { name: /acme\/operations/ }).getAttribute('href')).toBe(
      'https://github.com/acme/operations/blob/HEAD/hpa.yaml',
    );
    await expectAccessible(container);
  });

  it('tells with the keyboard where a value comes from', async () => {
    const { container } = show(<EntityTab />);
    await userEvent.click(await screen.findByRole('tab', { name: 'As wanted' }));
    const file = await screen.findByRole('listbox', { name: /kubernetes hpa/ });
    file.focus();
    await userEvent.keyboard('{ArrowDown}{ArrowDown}');
    expect(await screen.findByText('tier 1')).toBeTruthy();
    expect(screen.getByText(/cost.autoscaling.min/)).toBeTruthy();
    expect(within(file).getByRole('option', { selected: true }).textContent).toContain('minReplicas');
    await expectAccessible(container);
  });

  it('tells under the pointer where a value comes from', async () => {
    show(<EntityTab />);
    await userEvent.click(await screen.findByRole('tab', { name: 'As wanted' }));
    await userEvent.hover(await screen.findByText('minReplicas'));
    expect(await screen.findByText('tier 1')).toBeTruthy();
  });

  it('lists what waits and what drifted, and has it approved', async () => {
    const { container, daemon } = show(<EntityTab />);
    await userEvent.click(await screen.findByRole('tab', { name: 'Plan and drift' }));
    const line = (await screen.findByText('prometheus alert rules')).closest('details')!;
    line.open = true;
    fireEvent(line, new Event('toggle'));
    await userEvent.click(await within(line).findByRole('button', { name: 'Approve' }));
    const dialog = await screen.findByRole('dialog');
    await userEvent.click(within(dialog).getByRole('button', { name: 'Approve' }));
    expect(daemon.asked).toEqual([['/api/v1/approve', { entity: PAYMENTS, changes: [waiting.key] }]]);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await expectAccessible(container);
  });

  it('says why an approval was refused', async () => {
    const { daemon } = show(<EntityTab />);
    daemon.refusal = new NthlayerError('refused', 'no such change waits', 409);
    await userEvent.click(await screen.findByRole('button', { name: 'Approve' }));
    await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Approve' }));
    expect(await screen.findByText('no such change waits')).toBeTruthy();
  });

  it('pauses with a reason', async () => {
    const { daemon } = show(<EntityTab />);
    await userEvent.click(await screen.findByRole('button', { name: 'Pause' }));
    const dialog = await screen.findByRole('dialog');
    const button = within(dialog).getByRole('button', { name: 'Pause' });
    await userEvent.click(button);
    expect(daemon.asked).toEqual([]);
    await userEvent.type(within(dialog).getByRole('textbox'), 'moving house');
    await expectAccessible(dialog);
    await userEvent.click(button);
    expect(daemon.asked).toEqual([['/api/v1/pause', { entity: PAYMENTS, reason: 'moving house' }]]);
  });

  it('resumes', async () => {
    const pause = { entity: PAYMENTS, by: 'user:default/ada', at: 1_790_000_000, reason: 'moving house' };
    const { daemon } = show(<EntityTab />, { daemon: new Daemon({ '/api/v1/entities/{ref}': { ...entity, pause } }) });
    await userEvent.click(await screen.findByRole('button', { name: 'Resume' }));
    await userEvent.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Resume' }));
    expect(daemon.asked).toEqual([['/api/v1/resume', { entity: PAYMENTS }]]);
  });

  it.each([
    ['Backstage', ['nthlayer.approve', 'nthlayer.operate'], {}],
    [
      'the daemon',
      [],
      { '/api/v1/entities/{ref}/may': { name: 'x', role: 'viewer' as const, ask: false, approve: [] } },
    ],
  ])('offers nothing that %s does not let one do', async (_, denied, own) => {
    show(<EntityTab />, { denied, daemon: new Daemon(own) });
    await screen.findByRole('navigation', { name: 'Artefacts' });
    await screen.findByText(/maxReplicas: 40/);
    for (const name of ['Approve', 'Pause', 'Look again now']) {
      expect(screen.queryByRole('button', { name })).toBeNull();
    }
  });

  it('shows the graph, and whom a failure reaches', async () => {
    const { container } = show(<EntityTab />);
    await userEvent.click(await screen.findByRole('tab', { name: 'Dependencies' }));
    const picture = await screen.findByRole('application', { name: /arrow keys move/ });
    expect(within(picture).getByRole('link', { name: /ledger/ })).toBeTruthy();
    await userEvent.click(screen.getByRole('switch'));
    expect(await screen.findByText(/reaches 1 of tier 1/)).toBeTruthy();
    expect(within(picture).getByRole('link', { name: /orders.*suffers/ })).toBeTruthy();
    const before = picture.getAttribute('viewBox');
    picture.focus();
    await userEvent.keyboard('{ArrowLeft}');
    expect(picture.getAttribute('viewBox')).not.toBe(before);
    await userEvent.keyboard('0');
    expect(picture.getAttribute('viewBox')).toBe(before);
    await expectAccessible(container);
  });

  it('shows the blueprint, and finds in it', async () => {
    const { container } = show(<EntityTab />);
    await userEvent.click(await screen.findByRole('tab', { name: 'Blueprint' }));
    expect(await screen.findByText('annotation nthlayer.dev/tier')).toBeTruthy();
    await userEvent.type(screen.getByRole('searchbox'), 'incident');
    expect(screen.queryByText('annotation nthlayer.dev/tier')).toBeNull();
    await expectAccessible(container);
  });

  it('says that everything is as it is wanted', async () => {
    show(<EntityTab />, { daemon: new Daemon({ '/api/v1/entities/{ref}/artefacts': { entity: PAYMENTS, categories: [] } }) });
    expect(await screen.findByText(/Nothing is made of it yet/)).toBeTruthy();
    await userEvent.click(screen.getByRole('tab', { name: 'Plan and drift' }));
    expect(await screen.findByText(/Everything is live as it is wanted/)).toBeTruthy();
  });

  it('says that nobody answers', async () => {
    const { container } = show(<EntityTab />, {
      daemon: new Daemon({ '/api/v1/entities/{ref}': new NthlayerError('away', 'connection refused', 503) }),
    });
    expect(await screen.findByText('NthLayer cannot be reached')).toBeTruthy();
    await expectAccessible(container);
  });

  it('links the runbook of what has a site', async () => {
    show(<EntityTab />, { annotations: { 'backstage.io/techdocs-ref': 'dir:.' } });
    expect((await screen.findByRole('link', { name: /Runbook/ })).getAttribute('href')).toBe(
      '/docs/default/component/payments-api/runbook',
    );
  });
});
