/** What the plugin adds to an app: the same app is built with it and without it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';

const DEV = resolve(import.meta.dirname, '../dev');
const CLI = createRequire(import.meta.url).resolve('@backstage/cli-module-build/bin/backstage-cli-module-build');
const LIMIT = 150_000;

type Built = { total: number; graph: string[]; entry: string };

const folders: string[] = [];

/** Builds the app, with its features changed. */
async function built(change: (app: string) => string): Promise<Built> {
  const folder = await mkdtemp(join(DEV, '.size-'));
  folders.push(folder);
  for (const part of ['package.json', 'public', 'src']) await cp(join(DEV, 'app', part), join(folder, part), { recursive: true });
  const app = join(folder, 'src', 'App.tsx');
  await writeFile(app, change(await readFile(app, 'utf8')));
  await promisify(execFile)(process.execPath, [CLI, 'package', 'build'], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const files = (await readdir(join(folder, 'dist', 'static'))).filter(name => /\.(js|css)$/.test(name));
  const found: Built = { total: 0, graph: [], entry: await readFile(join(folder, 'dist', 'index.html'), 'utf8') };
  for (const name of files) {
    const text = await readFile(join(folder, 'dist', 'static', name));
    found.total += gzipSync(text).length;
    if (text.includes('arrow keys move, plus and minus zoom')) found.graph.push(name);
  }
  return found;
}

afterAll(async () => {
  await Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true })));
});

test('the plugin adds less than 150 kB gzipped, and the graph comes only when it is looked at', { timeout: 300_000 }, async () => {
  const own = await built(text => text);
  const bare = await built(text => text.replace(/^import nthlayerPlugin.*\n/m, '').replace('nthlayerPlugin, ', ''));
  const added = own.total - bare.total;
  console.log(`the plugin adds ${added} bytes gzipped to ${bare.total}`);
  expect(added).toBeGreaterThan(0);
  expect(added).toBeLessThan(LIMIT);
  expect(bare.graph).toEqual([]);
  expect(own.graph).toHaveLength(1);
  expect(own.entry).not.toContain(own.graph[0]);
});
