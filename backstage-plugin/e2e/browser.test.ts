/** What a person sees and does, from signing in to approving, on a real Backstage with a real daemon. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import openapiTS, { astToString, COMMENT_HEADER, type OpenAPI3 } from 'openapi-typescript';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launched, Visitor } from './browser';
import { Stack, until } from './stack';

/** Written anew by `UPDATE=1`. */
const TYPES = resolve(import.meta.dirname, '../plugins/nthlayer-common/src/daemon.gen.ts');
const PAYMENTS = '/catalog/default/component/payments-api';
const LEDGER = '/catalog/default/component/ledger';

let stack: Stack;
let browser: Browser;
let visitor: Visitor;
let folder: string;
let shots: string;

type Page = { items: { entity: string; kind: string }[] };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nthlayer-'));
  shots = process.env.SHOTS ?? join(folder, 'shots');
  await mkdir(shots, { recursive: true });
  stack = new Stack(folder);
  await stack.start();
  await stack.merge('payments', 'services/payments-api/catalog-info.yaml', text =>
    text.replace('nthlayer.dev/tier: "1"', 'nthlayer.dev/tier: "2"').replace('nthlayer.dev/tier: 1', 'nthlayer.dev/tier: "2"'),
  );
  browser = await launched();
  visitor = await Visitor.arriving(browser, stack.url, shots);
  await until(async () => (await stack.told<Page>('waiting')).items.some(each => each.entity.endsWith('payments-api')));
  await stack.edit('operations', 'default/ledger/kubernetes/hpa.yaml', text => text.replace(/maxReplicas: \d+/, 'maxReplicas: 99'));
  await until(async () => (await stack.told<Page>('drift')).items.length > 0);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  if (!process.env.KEEP) await rm(folder, { recursive: true, force: true });
});

test('the types of the API are those of this daemon', async () => {
  const ast = await openapiTS(await stack.told<OpenAPI3>('openapi.json'));
  const now = `${COMMENT_HEADER}${astToString(ast)}`;
  if (process.env.UPDATE) await writeFile(TYPES, now);
  expect(await readFile(TYPES, 'utf8')).toBe(now);
});

async function expectNoTrouble(): Promise<void> {
  const found = visitor.troubles.splice(0);
  expect(found).toEqual([]);
}

test('the card of a service', async () => {
  const { page } = visitor;
  await page.goto(PAYMENTS);
  await page.getByText('of requests succeed').first().waitFor();
  await page.getByText('@example.com').first().waitFor();
  await page.getByText(/artefacts? waiting/).waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('card');
  expect(await visitor.barriers('dl', 'ul[aria-label="Needs attention"]')).toEqual([]);
  await expectNoTrouble();
});

test('the tab can be used within a second of the page', async () => {
  const { page } = visitor;
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    await page.goto(`${PAYMENTS}/nthlayer`, { waitUntil: 'commit' });
    await page.getByRole('heading', { name: 'payments-api' }).first().waitFor();
    const began = performance.now();
    await page.getByRole('navigation', { name: 'Artefacts' }).getByRole('button').first().click({ trial: true });
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(`the tab was interactive ${times.map(Math.round).join(', ')} ms after the page`);
  expect(times[1]).toBeLessThan(1000);
  await expectNoTrouble();
});

test('an artefact, and where its values come from', async () => {
  const { page } = visitor;
  await page.goto(`${PAYMENTS}/nthlayer`);
  await page.getByRole('button', { name: 'kubernetes hpa' }).click();
  await page.getByRole('tab', { name: 'As wanted' }).click();
  await page.getByText('minReplicas').hover();
  await page.getByText('cost.autoscaling.min').waitFor();
  await page.getByRole('status', { name: 'Where the value comes from' }).getByText('tier 2').waitFor();
  await page.mouse.move(0, 0);
  const file = page.getByRole('listbox', { name: /kubernetes hpa/ });
  await file.focus();
  await page.keyboard.press('End');
  await page.getByText('cost.autoscaling.min').waitFor({ state: 'hidden' });
  for (let line = 0; line < 40 && !(await page.getByText('cost.autoscaling.min').isVisible()); line += 1) {
    await page.keyboard.press('ArrowUp');
  }
  await page.getByText('cost.autoscaling.min').waitFor();
  await visitor.shot('artefact');
  expect(await visitor.barriers('[role="tabpanel"]')).toEqual([]);
  await expectNoTrouble();
});

test('the runbook, from the tab to TechDocs', async () => {
  const { page } = visitor;
  await page.goto(`${PAYMENTS}/nthlayer`);
  await page.getByRole('link', { name: 'Runbook' }).click();
  await page.waitForURL(/\/docs\/default\/component\/payments-api\/runbook/);
  // TechDocs shows pages in a shadow root, which the browser looks into by itself.
  await page.getByRole('heading', { name: 'First steps' }).waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('runbook');
  await expectNoTrouble();
});

test('what people changed by hand, as a diff', async () => {
  const { page } = visitor;
  await page.goto(`${LEDGER}/nthlayer?view=changes`);
  await page.getByText('kubernetes hpa').click();
  await page.getByText('maxReplicas: 99').waitFor();
  await visitor.shot('drift');
  expect(await visitor.barriers('[role="tabpanel"]')).toEqual([]);
  await expectNoTrouble();
});

test('the graph moves, and leads to neighbours', async () => {
  const { page } = visitor;
  await page.goto(`${PAYMENTS}/nthlayer?view=dependencies`);
  const picture = page.getByRole('application');
  await picture.waitFor();
  await page.getByRole('switch').click({ force: true });
  await page.getByText(/Its failure reaches/).waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('graph');
  expect(await visitor.barriers('[role="tabpanel"]')).toEqual([]);
  const seen = () => picture.getAttribute('viewBox');
  const before = await seen();
  await picture.focus();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  expect(await seen()).not.toBe(before);
  await page.keyboard.press('0');
  expect(await seen()).toBe(before);
  const box = (await picture.boundingBox())!;
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + 60, { steps: 4 });
  await page.mouse.up();
  expect(await seen()).not.toBe(before);
  await page.keyboard.press('0');
  await picture.getByRole('link', { name: /ledger/ }).click();
  await page.waitForURL(/component\/ledger\/nthlayer/);
  await page.getByRole('application').waitFor();
  await expectNoTrouble();
});

test('an owner pauses and resumes', async () => {
  const { page } = visitor;
  await page.goto(`${LEDGER}/nthlayer`);
  await page.getByRole('button', { name: 'Pause' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').fill('the ledger is being moved');
  await visitor.shot('pause');
  expect(await visitor.barriers('[role="dialog"]')).toEqual([]);
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await page.getByText(/the ledger is being moved \(user:default\/ada/).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await expectNoTrouble();
});

test('an owner approves what waits, and it is made', async () => {
  const { page } = visitor;
  await page.goto(`${PAYMENTS}/nthlayer?view=changes`);
  await page.getByText(/approval of group:default\/payments-team/).first().waitFor();
  await page.getByText('prometheus alert rules').first().click();
  await page.getByRole('group', { name: /What changes in/ }).waitFor();
  await visitor.shot('plan');
  expect(await visitor.barriers('[role="tabpanel"]')).toEqual([]);
  await page.getByRole('button', { name: /^Approve all/ }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: /^Approve/ }).click();
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await until(async () => !(await stack.told<Page>('waiting')).items.some(each => each.entity.endsWith('payments-api')));
  await page.getByText(/approval of group:default\/payments-team/).first().waitFor({ state: 'hidden' });
  await expectNoTrouble();
});

test('who owns nothing of it may only look', async () => {
  const { page } = visitor;
  await page.goto('/catalog/default/component/orders/nthlayer');
  await page.getByRole('navigation', { name: 'Artefacts' }).waitFor();
  await page.waitForLoadState('networkidle');
  expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  await expectNoTrouble();
});

test('the cards of a team and of a system', async () => {
  const { page } = visitor;
  await page.goto('/catalog/default/group/payments-team');
  await page.getByText('Who is called when').first().waitFor();
  await page.getByRole('columnheader', { name: 'primary (UTC)' }).waitFor();
  await page.getByRole('link', { name: 'payments-worker' }).waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('team');
  expect(await visitor.barriers('dl', '[aria-label="Who is called when"]', '[aria-label="What it owns"]')).toEqual([]);
  await page.goto('/catalog/default/system/checkout');
  await page.getByRole('link', { name: 'fraud-check' }).last().waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('system');
  await expectNoTrouble();
});

test('the page of the organisation', async () => {
  const { page } = visitor;
  await page.goto('/nthlayer');
  await page.getByText('12 of 12 services managed').waitFor();
  await page.getByText('439').or(page.getByText(/\d+ artefacts/)).first().waitFor();
  await page.waitForLoadState('networkidle');
  await visitor.shot('organisation');
  expect(await visitor.barriers('section')).toEqual([]);
  for (const [tab, text] of [
    ['Decisions', 'Changed by hand'],
    ['Findings', 'codeowners: group:default/shop-team'],
    ['Runs', 'entities'],
  ]) {
    await page.getByRole('tab', { name: tab }).or(page.getByRole('link', { name: tab })).first().click();
    await page.getByText(text).first().waitFor();
    await page.waitForLoadState('networkidle');
    await visitor.shot(tab.toLowerCase());
    expect(await visitor.barriers('section')).toEqual([]);
  }
  await expectNoTrouble();
});

test('in the dark', async () => {
  const dark = await Visitor.arriving(browser, stack.url, shots, true);
  try {
    for (const [name, path, text, parts] of [
      ['dark-card', PAYMENTS, 'of requests succeed', ['dl', 'ul[aria-label="Needs attention"]']],
      ['dark-artefact', `${PAYMENTS}/nthlayer`, 'As wanted', ['[role="tabpanel"]']],
      ['dark-drift', `${LEDGER}/nthlayer?view=artefacts&artefact=kubernetes/hpa`, 'maxReplicas: 99', ['[role="tabpanel"]']],
      ['dark-graph', `${PAYMENTS}/nthlayer?view=dependencies`, 'It needs', ['[role="tabpanel"]']],
      ['dark-organisation', '/nthlayer', 'services managed', ['section']],
    ] as const) {
      await dark.page.goto(path);
      await dark.page.getByText(text).first().waitFor();
      await dark.page.waitForLoadState('networkidle');
      await dark.shot(name);
      expect(await dark.barriers(...parts)).toEqual([]);
    }
    expect(dark.troubles).toEqual([]);
  } finally {
    await dark.leave();
  }
});

test('the daemon away, and back', async () => {
  const { page } = visitor;
  await stack.stopDaemon();
  try {
    await page.goto(PAYMENTS);
    await page.getByText('NthLayer cannot be reached').first().waitFor();
    await visitor.shot('away-card');
    await page.goto(`${PAYMENTS}/nthlayer`);
    await page.getByText('NthLayer cannot be reached').first().waitFor();
    expect(await visitor.barriers('[role="alert"]')).toEqual([]);
    await page.goto('/nthlayer');
    await page.getByText('NthLayer cannot be reached').first().waitFor();
    await visitor.shot('away-organisation');
    await page.goto(`${PAYMENTS}/nthlayer`);
    await page.getByText('NthLayer cannot be reached').first().waitFor();
  } finally {
    await stack.startDaemon();
  }
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('navigation', { name: 'Artefacts' }).waitFor();
  // The browser itself tells of every answer that is an error; nothing else may.
  const others = visitor.troubles.splice(0).filter(each => !/Failed to load resource.*50[234]/.test(each));
  expect(others).toEqual([]);
});

test('who may not look is told so', async () => {
  await stack.stopBackstage();
  await stack.startBackstage('denied.yaml');
  const denied = await Visitor.arriving(browser, stack.url, shots);
  try {
    await until(async () => {
      await denied.page.goto(`${PAYMENTS}/nthlayer`);
      return denied.page.getByText('You may not see this').first().waitFor({ timeout: 5000 }).then(() => true, () => false);
    });
    await denied.shot('denied');
  } finally {
    await denied.leave();
  }
});
