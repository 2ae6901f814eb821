/**
 * What the NthLayer plugins of Backstage share: the client of the daemon's API, its types, and the permissions.
 *
 * @packageDocumentation
 */
export * from './client';
export * from './errors';
export * from './permissions';
export type * from './shown';
