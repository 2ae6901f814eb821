/** A browser that people would use, which notices what they should never meet. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const require = createRequire(import.meta.url);
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export class Visitor {
  readonly page: Page;
  /** What went wrong since it was last asked for. */
  readonly troubles: string[] = [];
  private readonly context: BrowserContext;
  private readonly shots: string;

  private constructor(page: Page, context: BrowserContext, shots: string) {
    this.page = page;
    this.context = context;
    this.shots = shots;
    page.on('pageerror', error => this.troubles.push(`error: ${error.message}`));
    page.on('console', message => {
      if (message.type() === 'error') this.troubles.push(`console: ${message.text()}`);
    });
    page.on('request', request => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && hostname !== 'localhost') this.troubles.push(`left the machine: ${request.url()}`);
    });
  }

  /** Signs in. */
  static async arriving(browser: Browser, url: string, shots: string, dark = false): Promise<Visitor> {
    const context = await browser.newContext({
      baseURL: url,
      viewport: { width: 1280, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    const visitor = new Visitor(await context.newPage(), context, shots);
    await visitor.page.goto('/catalog');
    const enter = visitor.page.getByRole('button', { name: 'Enter' });
    await enter.click();
    await enter.waitFor({ state: 'hidden' });
    await visitor.page.waitForLoadState('networkidle');
    visitor.troubles.length = 0;
    return visitor;
  }

  async shot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(this.shots, `${name}.png`), fullPage: true, animations: 'disabled' });
  }

  /** What keeps people out, in the parts of the page that are ours (axe-core). */
  async barriers(...selectors: string[]): Promise<string[]> {
    await this.page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
    return this.page.evaluate(async include => {
      const { axe } = window as unknown as { axe: { run(context: object): Promise<{ violations: Violation[] }> } };
      type Violation = { id: string; nodes: { html: string; failureSummary?: string }[] };
      const { violations } = await axe.run({ include: include.map(selector => [selector]) });
      return violations.flatMap(each => each.nodes.map(node => `${each.id}: ${node.html} ${node.failureSummary ?? ''}`));
    }, selectors);
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}

export function launched(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}
