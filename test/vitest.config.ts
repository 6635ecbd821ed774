import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          root: new URL('..', import.meta.url).pathname,
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/deployment/**', 'node_modules/**'],
          pool: 'forks',
          isolate: false,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'interop',
          root: new URL('..', import.meta.url).pathname,
          include: ['test/interop/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'deployment',
          root: new URL('..', import.meta.url).pathname,
          include: ['test/deployment/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})
