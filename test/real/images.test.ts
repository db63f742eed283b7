/** The images that are built here from the real files have, header by header, the section tables of the recorded ones. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecordings } from '../oracle/recording.ts'
import { buildUki, initrdFile, layoutOf } from './build.ts'
import { cacheDirectory, fetchNamed } from './fetch.ts'
import { isReal } from './packages.ts'

const rows = readRecordings().filter(isReal)

test('there are boots to rebuild', () => {
  expect(rows.length).toBeGreaterThanOrEqual(71)
})

test.each(rows)('$id is rebuilt', recording => {
  const work = mkdtempSync(join(cacheDirectory(), 'image-'))
  try {
    const uki = buildUki(recording, fetchNamed('stub', recording.stub), fetchNamed('kernel', recording.kernel), initrdFile(), work)
    expect(existsSync(uki)).toBe(true)
    expect(layoutOf(uki)).toEqual(recording.layout)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})
