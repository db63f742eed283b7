/**
 * The command line, on images built from the real stubs and kernels, predicts every recorded boot: addresses
 * exactly, failures never as clean.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { disagreements } from '../oracle/judge.ts'
import { isJudged } from '../oracle/judged.ts'
import { readRecordings } from '../oracle/recording.ts'
import { buildUki, initrdFile, layoutOf } from './build.ts'
import { cacheDirectory, fetchNamed, realFiles } from './fetch.ts'
import { isReal } from './packages.ts'
import { checkByCommand } from './report.ts'

const files = realFiles()
const rows = readRecordings().filter(row => isReal(files, row))

test('there are boots to rebuild', () => {
  expect(rows.length).toBeGreaterThanOrEqual(71)
})

test.each(rows)('$id: $outcome', recording => {
  const work = mkdtempSync(join(cacheDirectory(), 'boot-'))
  try {
    const uki = buildUki(
      recording,
      fetchNamed('stub', recording.stub),
      fetchNamed('kernel', recording.kernel),
      initrdFile(),
      work,
    )
    expect(layoutOf(uki), 'the section table is the recorded one').toEqual(recording.layout)
    const boot = checkByCommand(recording, uki, work)
    if (isJudged(recording)) expect(disagreements(recording, boot)).toEqual([])
    else expect(['unknown', 'refused']).toContain(boot.verdict)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})
