import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WELL_KNOWN } from './merge';

const run = promisify(execFile);

/** The plugins that read what we write, each with its keys. Their packages are fetched, not installed. */
const READERS: Record<string, string[]> = {
  '@backstage-community/plugin-github-actions@1.3.0': [
    'github.com/project-slug',
  ],
  '@backstage-community/plugin-grafana@0.21.0': ['grafana/dashboard-selector'],
  '@backstage/plugin-techdocs-common@0.1.1': ['backstage.io/techdocs-ref'],
  '@pagerduty/backstage-plugin-common@0.2.0': ['pagerduty.com/service-id'],
  '@roadiehq/backstage-plugin-prometheus@3.3.1': [
    'prometheus.io/alert',
    'prometheus.io/labels',
    'prometheus.io/rule',
  ],
};

describe('the well-known keys', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'readers-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('all have a reader', () => {
    expect(Object.values(READERS).flat().sort()).toEqual([...WELL_KNOWN].sort());
  });

  it.each(Object.entries(READERS))(
    '%s reads %s',
    async (name, keys) => {
      const { stdout } = await run(
        'npm',
        ['pack', '--silent', '--prefer-offline', name],
        { cwd: folder },
      );
      const into = await mkdtemp(join(folder, 'package-'));
      await run('tar', ['xzf', join(folder, stdout.trim()), '-C', into]);
      const source = await sourceBelow(into);
      for (const key of keys) expect(source).toMatch(quoted(key));
    },
    120_000,
  );
});

function quoted(key: string): RegExp {
  return new RegExp(`["'\`]${key.replace(/[./]/g, '\\$&')}["'\`]`);
}

async function sourceBelow(folder: string): Promise<string> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = files
    .filter(file => file.isFile() && file.name.endsWith('.js'))
    .map(file => readFile(join(file.parentPath, file.name), 'utf8'));
  return (await Promise.all(texts)).join('\n');
}
