/** What `npm pack` makes of each package: all that people need, and nothing else. Build first: `npm run build`. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PLUGINS = resolve(import.meta.dirname, '../plugins');

type Packed = { files: { path: string }[] };

/** What would be published, and package.json as it would be. Backstage's own step points it to what was built. */
async function packed(folder: string): Promise<{ files: string[]; manifest: Record<string, unknown> }> {
  const run = (args: string[]) => promisify(execFile)('npm', args, { cwd: folder });
  await run(['run', 'prepack', '--ignore-scripts=false']);
  try {
    const { stdout } = await run(['pack', '--dry-run', '--json', '--ignore-scripts']);
    const [found] = JSON.parse(stdout) as Packed[];
    return {
      files: found.files.map(file => file.path),
      manifest: JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')),
    };
  } finally {
    await run(['run', 'postpack', '--ignore-scripts=false']);
  }
}

const names = await readdir(PLUGINS);

test.each(names)('%s', async name => {
  const folder = join(PLUGINS, name);
  const { files, manifest } = await packed(folder);
  const entries = [manifest.main, manifest.types, manifest.module].filter(Boolean) as string[];
  for (const entry of entries) expect(files).toContain(entry.replace(/^\.\//, ''));
  expect(manifest.main).toMatch(/^(\.\/)?dist\//);
  expect(manifest.types).toMatch(/\.d\.ts$/);
  expect(files).toContain('README.md');
  expect(files).toContain('CHANGELOG.md');
  expect(manifest.license).toBe('Apache-2.0');
  expect((manifest.backstage as { role?: string }).role).toBeTruthy();
  expect((manifest.backstage as { pluginId?: string }).pluginId).toBeTruthy();
  if (manifest.configSchema) expect(files).toContain(manifest.configSchema);
  expect(files.filter(file => /(^|\/)(src|testing)\/|\.test\.|setupTests|node_modules\//.test(file))).toEqual([]);
  expect(JSON.stringify(manifest.dependencies)).not.toMatch(/workspace:|file:/);
  // What the README shows is there.
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  for (const [, shown] of readme.matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) expect(files).toContain(shown);
});
