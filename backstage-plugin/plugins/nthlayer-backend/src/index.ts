/**
 * Asks the NthLayer daemon on behalf of the signed-in user.
 *
 * @packageDocumentation
 */
export { nthlayerPlugin, nthlayerPlugin as default } from './plugin';
