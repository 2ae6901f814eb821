import { cleanup, configure } from '@testing-library/react';
import { afterEach } from 'vitest';

// What browsers have, and jsdom does not: react-aria asks for both.
globalThis.CSS ??= { escape: (text: string) => text.replace(/[^\w-]/g, '\\$&') } as typeof CSS;
Element.prototype.scrollIntoView ??= () => undefined;

// The first page that is shown loads much code.
configure({ asyncUtilTimeout: 10_000 });
afterEach(cleanup);
