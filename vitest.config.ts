import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'

/** Short files that take long. Where nothing is known of an earlier run, vitest takes the largest first. */
const LONG = [
  'test/meta/recorded-law.test.ts',
  'test/cli/hostile.test.ts',
  'test/oracle/oracle.test.ts',
  'test/oracle/maps.test.ts',
  'test/stories/builders.test.ts',
  'test/unit/image/clothing.test.ts',
  'test/unit/image/memmap-round-trips.property.test.ts',
  'test/unit/naive.property.test.ts',
  'test/meta/docs.test.ts',
  'test/meta/package.test.ts',
]

/** Long files first, so that every core is busy to the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: Parameters<BaseSequencer['sort']>[0]): ReturnType<BaseSequencer['sort']> {
    const sorted = await super.sort(files)
    const isLong = (moduleId: string): boolean => LONG.some(path => moduleId.endsWith(`/${path}`))
    return [
      ...sorted.filter(({ moduleId }) => isLong(moduleId)),
      ...sorted.filter(({ moduleId }) => !isLong(moduleId)),
    ]
  }
}

export default defineConfig({
  test: {
    reporters: ['default'],
    // Of two cores vitest would leave one to its own process, which waits for most of a run
    maxWorkers: '100%',
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**', 'test/package/**', 'node_modules/**'],
          globalSetup: ['test/support/fresh-dist.ts'],
          pool: 'threads',
          isolate: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/cli/**', 'src/**/*.d.ts'],
      thresholds: { branches: 95 },
    },
  },
})
