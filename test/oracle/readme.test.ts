import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scoreAll, scoreMarkdown, scoreText } from './score.ts'

const score = scoreAll()

test('README.md shows the score as it is computed; npm run oracle -- score --write puts it there', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const shown = /<!-- oracle-score -->\n([^]*)<!-- \/oracle-score -->/.exec(readme)?.[1]
  expect(shown).toBe(scoreMarkdown(score))
})

test('the score for a terminal names the boots that differ', () => {
  const text = scoreText(score)
  for (const { off } of score.facts)
    for (const { boots } of off) for (const id of boots) expect(text).toContain(id)
  expect(text).toContain('0 disagreements that are not listed as known')
})

test('a driver that knows nothing scores nothing', () => {
  const nothing = scoreAll({
    name: 'nothing',
    boot: () => ({
      verdict: 'unknown',
      facts: {
        ending: 'unknown',
        imageBase: undefined,
        entryMethod: undefined,
        kernelImage: undefined,
        kernelEntry: undefined,
        bootParams: undefined,
        cmdLinePtr: undefined,
        commandLine: undefined,
        ramdiskImageFromStub: undefined,
        ramdiskImage: undefined,
        ramdiskSize: undefined,
        compressedImage: undefined,
        decompressedKernel: undefined,
        initrdDamage: undefined,
      },
    }),
  })
  expect(nothing.facts.map(({ exact }) => exact)).toEqual(score.facts.map(() => 0))
  expect(nothing.facts.map(({ absent, recorded }) => recorded - absent.length)).toEqual(
    score.facts.map(() => 0),
  )
  expect(nothing.disagreements.length).toBeGreaterThan(90)
})
