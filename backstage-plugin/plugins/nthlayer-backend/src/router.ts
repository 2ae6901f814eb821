import type {
  AuthService,
  HttpAuthService,
  PermissionsService,
} from '@backstage/backend-plugin-api';
import { NotAllowedError, NotFoundError } from '@backstage/errors';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import express from 'express';
import Router from 'express-promise-router';
import { forward } from './forward';
import { permissionFor } from './routes';

export interface RouterOptions {
  /** Base address of the daemon. */
  url: string;
  auth: AuthService;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
}

/**
 * Passes on what a signed-in user asks of the daemon. Backstage's permissions decide who may ask for what sort of thing;
 * the daemon is told who asks, and decides what that person may do: it knows who owns what.
 */
export function createRouter(options: RouterOptions): express.Router {
  const { auth, httpAuth, permissions } = options;
  const base = `${options.url.replace(/\/+$/, '')}/api/v1/`;
  const router = Router();
  router.use(express.raw({ type: 'application/json', limit: '1mb' }));
  router.use('/v1', async (request, response) => {
    const { pathname, search } = new URL(request.url, 'http://localhost');
    const path = pathname.slice(1);
    const permission = permissionFor(request.method, path);
    const target = new URL(`${base}${path}${search}`);
    if (!permission || !target.href.startsWith(base)) {
      throw new NotFoundError('NthLayer has no such thing');
    }
    const credentials = await httpAuth.credentials(request, {
      allow: ['user'],
    });
    const [decision] = await permissions.authorize([{ permission }], {
      credentials,
    });
    if (decision.result !== AuthorizeResult.ALLOW) {
      throw new NotAllowedError(`this takes the permission ${permission.name}`);
    }
    const { token } = await auth.getPluginRequestToken({
      onBehalfOf: credentials,
      targetPluginId: 'nthlayer',
    });
    await forward(target.href, token, request, response);
  });
  return router;
}
