/**
 * NthLayer on the pages of Backstage.
 *
 * @packageDocumentation
 */
export { default } from './plugin';
export { nthlayerApiRef } from './api';
