import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { permissionFor } from './routes';

describe('what is passed on', () => {
  it.each([
    ['GET', 'entities/component%3Adefault%2Fshop', 'nthlayer.read'],
    ['GET', 'entities/x/artefacts/kubernetes/hpa/text', 'nthlayer.read'],
    ['GET', 'events', 'nthlayer.read'],
    ['POST', 'approve', 'nthlayer.approve'],
    ['POST', 'undo', 'nthlayer.approve'],
    ['POST', 'pause', 'nthlayer.operate'],
  ])('%s %s takes %s', (method, path, name) => {
    expect(permissionFor(method, path)?.name).toBe(name);
  });

  it.each([
    ['GET', ''],
    ['GET', 'annotations'],
    ['GET', 'approve'],
    ['GET', 'entities/'],
    ['GET', 'entities/..'],
    ['GET', 'entities/%2e%2E/artefacts'],
    ['GET', 'entities/./artefacts'],
    ['GET', 'entities/x/nothing'],
    ['GET', 'openapi.json'],
    ['POST', 'entities'],
    ['POST', 'constructor'],
    ['PUT', 'pause'],
    ['DELETE', 'plans/x'],
    ['HEAD', 'plans'],
  ])('%s %s is not', (method, path) => {
    expect(permissionFor(method, path)).toBeUndefined();
  });

  it('is all that the pages can ask for', () => {
    const types = readFileSync(
      require.resolve('@nthlayer/backstage-plugin-nthlayer-common/src/daemon.gen.ts'),
      'utf8',
    );
    const paths = [...types.matchAll(/^ {4}"\/api\/v1\/(.*)": \{$/gm)].map(
      ([, path]) => path,
    );
    expect(paths.length).toBeGreaterThan(30);
    const left = paths.filter(path => {
      const asked = path.replace(/\{\w+\}/g, 'x');
      return !permissionFor('GET', asked) && !permissionFor('POST', asked);
    });
    // The one for the catalog module, and the description of the API.
    expect(left).toEqual(['annotations', 'openapi.json']);
  });
});
