/** What the browser suite runs against: the sample organisation, the daemon, and a Backstage with the app and the plugins. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const run = promisify(execFile);
const HERE = import.meta.dirname;
const BACKEND = resolve(HERE, '../dev/backend');
/** The program under test, as it is installed. */
const NTHLAYER = process.env.NTHLAYER_SYNC ?? 'nthlayer-sync';
const PATIENCE = 180_000;

/** A program that runs until it is stopped. */
class Program {
  private readonly process: ChildProcess;

  constructor(command: string, args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv; log: string }) {
    const log = createWriteStream(options.log, { flags: 'a' });
    this.process = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
    this.process.stdout?.pipe(log);
    this.process.stderr?.pipe(log);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGINT');
    const late = setTimeout(() => this.process.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }
}

export class Stack {
  url = '';
  daemonUrl = '';
  private readonly folder: string;
  private demo: Program | undefined;
  private daemon: Program | undefined;
  private backstage: Program | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  async start(): Promise<void> {
    await mkdir(join(this.folder, 'catalog', 'techdocs'), { recursive: true });
    this.url = `http://localhost:${await freePort()}`;
    this.daemonUrl = `http://127.0.0.1:${await freePort()}`;
    await this.startDemo();
    await this.configure();
    await this.publishSites();
    await this.startBackstage();
    await this.startDaemon();
  }

  async startDaemon(): Promise<void> {
    this.daemon = new Program(NTHLAYER, ['serve'], {
      cwd: this.organisation,
      log: this.log('daemon'),
      env: { NTHLAYER_WEBHOOK_SECRET: SECRET },
    });
    await answers(`${this.daemonUrl}/ready`, this.daemon);
  }

  async stopDaemon(): Promise<void> {
    await this.daemon?.stop();
  }

  async startBackstage(overlay?: string): Promise<void> {
    const configs = [join(HERE, 'app-config.yaml'), ...(overlay ? [join(HERE, overlay)] : [])];
    const transform = require.resolve('@backstage/cli-node/config/nodeTransform.cjs');
    this.backstage = new Program(
      process.execPath,
      ['--require', transform, 'src/index.ts', ...configs.flatMap(path => ['--config', path])],
      {
        cwd: BACKEND,
        log: this.log('backstage'),
        env: {
          NODE_ENV: 'development',
          LOG_LEVEL: 'warn',
          APP: '1',
          TECHDOCS: '1',
          BACKSTAGE_URL: this.url,
          BACKSTAGE_PORT: new URL(this.url).port,
          CATALOG: join(this.folder, 'catalog'),
          NTHLAYER_URL: this.daemonUrl,
          NTHLAYER_WEBHOOK_SECRET: SECRET,
        },
      },
    );
    await answers(`${this.url}/.backstage/health/v1/readiness`, this.backstage);
  }

  async stopBackstage(): Promise<void> {
    await this.backstage?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([this.daemon?.stop(), this.backstage?.stop()]);
    await this.demo?.stop();
  }

  /** Somebody merges a change to a file of a source. */
  async merge(repository: string, path: string, change: (text: string) => string): Promise<void> {
    const tree = join(this.folder, 'catalog', repository);
    const file = join(tree, path);
    await writeFile(file, change(await readFile(file, 'utf8')));
    await git(tree, 'commit', '--quiet', '--all', '--message=change');
    await git(tree, 'push', '--quiet');
  }

  /** Somebody edits by hand what was made. */
  async edit(repository: string, path: string, change: (text: string) => string): Promise<void> {
    const tree = join(this.folder, 'edited');
    const from = join(this.organisation, 'repositories', `${repository}.git`);
    await git(this.folder, 'clone', '--quiet', '--branch=nthlayer-sync', from, tree);
    const file = join(tree, path);
    await writeFile(file, change(await readFile(file, 'utf8')));
    await git(tree, 'commit', '--quiet', '--all', '--message=by hand');
    await git(tree, 'push', '--quiet');
  }

  /** What the daemon knows, asked by a program of our own. */
  async told<T>(path: string): Promise<T> {
    const response = await fetch(`${this.daemonUrl}/api/v1/${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
    return (await response.json()) as T;
  }

  private get organisation(): string {
    return join(this.folder, 'nthlayer-demo');
  }

  private log(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** Lays out the sample organisation, applies everything, and keeps the stand-ins of its tools running. */
  private async startDemo(): Promise<void> {
    const log = this.log('demo');
    this.demo = new Program(NTHLAYER, ['demo', '--fresh', '--serve'], { cwd: this.folder, log });
    await until(async () => (await readFile(log, 'utf8').catch(() => '')).includes('keep running'), this.demo);
    for (const repository of ['catalog', 'payments', 'shop']) {
      await git(this.folder, 'clone', '--quiet', join(this.organisation, 'repositories', `${repository}.git`),
        join(this.folder, 'catalog', repository));
    }
  }

  /** Documentation, built and put where Backstage reads it: the sample organisation itself leaves building to CI. */
  private async publishSites(): Promise<void> {
    const folder = join(this.folder, 'sites');
    await mkdir(folder);
    const sites = join(this.folder, 'catalog', 'techdocs');
    await writeFile(
      join(folder, 'nthlayer-sync.yaml'),
      `organisation: acme
sources: [{type: directory, name: catalog, path: ${join(this.folder, 'catalog')}}]
plugins: {techdocs: {publish: {type: local, directory: ${sites}}}}
`,
    );
    await run(NTHLAYER, ['apply', '--yes'], { cwd: folder });
  }

  /** Changes of alert rules wait for their owner, and people come in through Backstage. */
  private async configure(): Promise<void> {
    const settings = join(this.organisation, 'nthlayer-sync.yaml');
    const text = await readFile(settings, 'utf8');
    await writeFile(settings, text.replace('prometheus: {}', 'prometheus: {policy: propose, approval: owner}'));
    await appendFile(
      settings,
      `serve:
  listen: ${new URL(this.daemonUrl).host}
  every: 20seconds
  audit: 20seconds
  access:
    backstage: {url: "http://127.0.0.1:${new URL(this.url).port}", roles: {"plugin:catalog": viewer}}
    tokens: [{name: suite, sha256: ${await sha256(TOKEN)}, role: admin}]
  webhooks: {backstage: "env:NTHLAYER_WEBHOOK_SECRET"}
`,
    );
  }
}

const TOKEN = 'only-for-the-suite';
const SECRET = `whsec_${Buffer.from('only for the suite, and long enough').toString('base64')}`;

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex');
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com'];
  await run('git', [...who, ...args], { cwd });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function answers(url: string, by: Program): Promise<void> {
  await until(async () => (await fetch(url).catch(() => undefined))?.ok === true, by, url);
}

/** Waits for something outside, which can only be asked again and again. */
export async function until(holds: () => Promise<boolean>, by?: Program, what = 'it'): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (by && !by.running) throw new Error(`${what} ended before it was ready`);
    if (Date.now() > end) throw new Error(`${what} was not ready in time`);
    await new Promise(wake => setTimeout(wake, 200));
  }
}
