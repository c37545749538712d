// The `test` of specs that need the running product: one server for all of them, each test signed in.
import { request } from '@playwright/test';
import { Hall } from './server';
import { expect, test as base } from './test';

type State = Awaited<ReturnType<Awaited<ReturnType<typeof request.newContext>>['storageState']>>;

/** A server and an open session on it. */
interface Shared {
  hall: Hall;
  session: State;
}

export const test = base.extend<{ hall: Hall }, { shared: Shared }>({
  shared: [
    async ({}, use) => {
      const hall = await Hall.start({ cameras: ['--count', '8', '--live', '4'] });
      try {
        const visitor = await request.newContext();
        await visitor.get(hall.sign_in);
        await use({ hall, session: await visitor.storageState() });
        await visitor.dispose();
      } finally {
        await hall.stop();
      }
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  hall: async ({ shared }, use) => use(shared.hall),
  storageState: async ({ shared }, use) => use(shared.session),
  baseURL: async ({ shared }, use) => use(shared.hall.address),
});

export { expect };
