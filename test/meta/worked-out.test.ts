import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { kernelEras, PROFILES, stubEras } from '../../src/index.ts'
import { linux } from '../../src/kernel/x86/history.ts'
import { historyName } from '../../src/releases/history.ts'
import { workedOut } from '../../src/releases/worked-out.ts'
import { stubHistory } from '../../src/stub/history.ts'
import { fatHistory, thinHistory } from '../../src/stub/lanzaboote/history.ts'
import { TOP } from '../support/files.ts'

/** What of a value is data: functions are left out. */
const dataOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

test('histories have names of their own', () => {
  const names = [linux, stubHistory, thinHistory, fatHistory].map(one => historyName<never>(one as never))
  expect(new Set(names).size).toBe(names.length)
})

test('the eras that the build worked out are those of the source, which works them out itself', async () => {
  expect(workedOut(historyName(linux))).toBeUndefined()
  const built = (await import(pathToFileURL(join(TOP, 'dist/index.js')).href)) as Record<string, unknown>
  expect(dataOf(built['kernelEras'])).toEqual(dataOf(kernelEras))
  expect(dataOf(built['stubEras'])).toEqual(dataOf(stubEras))
  expect(built['PROFILES']).toEqual(PROFILES)
  expect(JSON.stringify(dataOf(kernelEras))).toContain(linux.changes.at(-1)?.title)
  expect(JSON.stringify(dataOf(stubEras))).toContain(stubHistory.changes.at(-1)?.title)
})
