import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecordings } from '../oracle/recording.ts'
import { buildUki, layoutOf, makeInitrd } from './build.ts'
import { cacheDirectory, fetchFile } from './fetch.ts'
import { REAL_FILES } from './packages.ts'
const rows = readRecordings().filter(r => REAL_FILES.some(f => f.name === r.stub) && REAL_FILES.some(f => f.name === r.kernel))
test.each(rows)('$id', row => {
  const work = mkdtempSync(join(cacheDirectory(), 'work-'))
  const f = (k: string, n: string) => fetchFile(REAL_FILES.find(x => x.kind === k && x.name === n)!)
  writeFileSync(join(work, 'initrd.img'), makeInitrd())
  try {
    const uki = buildUki(row, f('stub', row.stub), f('kernel', row.kernel), join(work, 'initrd.img'), work)
    expect(layoutOf(uki)).toEqual(row.layout)
  } finally { rmSync(work, { recursive: true }) }
})
