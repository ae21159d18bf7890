import { defineConfig } from 'vitest/config';

const patient = { testTimeout: 120_000, hookTimeout: 240_000, retry: 0 };

export default defineConfig({
  test: {
    globalSetup: 'e2e/parts/shared.setup.ts',
    projects: [
      {
        test: {
          ...patient,
          name: 'sdk',
          include: ['packages/sdk/test/**/*.test.ts'],
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...patient,
          name: 'collector',
          include: ['packages/collector/test/**/*.test.ts'],
          maxWorkers: 2,
        },
      },
      // Clusters, browsers and whole collectors: one file at a time.
      {
        test: {
          ...patient,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...patient,
          name: 'examples',
          include: ['examples/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
