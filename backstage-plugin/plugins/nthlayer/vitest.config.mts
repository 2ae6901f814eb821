import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    setupFiles: ['./src/setupTests.ts'],
    testTimeout: 30_000,
    css: { modules: { classNameStrategy: 'non-scoped' } },
    // They import folders and styles, which Node refuses to.
    server: { deps: { inline: [/@backstage\//, /@material-ui\//, /@mui\//, /react-use/, /@rjsf/, /material-ui-popup-state/] } },
  },
});
