import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { advise, judge, ruleById, rules } from '../../../src/hazard/registry.ts'
import { ADVICE_MAX, advice, rule } from '../../../src/hazard/rule.ts'
import { sectionOf } from '../../../src/hazard/describe.ts'
import { image } from './images.ts'
import { loaded, machine, readInitrd } from './recordings.ts'

const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(new URL(`../../../${folder}/`, import.meta.url))
    .map(name => name.slice(0, -ending.length))
    .sort()

test('ids are unique, and the file of a rule bears its id', () => {
  const ids = rules.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(filesIn('src/hazard/rules', '.ts')).toEqual(
    rules.flatMap(({ id, class: kind }) => (kind === 'advice' ? [] : [id])).sort(),
  )
  expect(filesIn('src/hazard/advice', '.ts')).toEqual(
    rules.flatMap(({ id, class: kind }) => (kind === 'advice' ? [id] : [])).sort(),
  )
  expect(filesIn('docs/hazards', '.md')).toEqual([...ids].sort())
})

test('damage stands before breaches, breaches before advice', () => {
  const classes = rules.map(known => known.class)
  expect(classes).toEqual(['damage', 'breach', 'advice'].flatMap(kind => classes.filter(one => one === kind)))
})

test('a rule is found by its id, and only by that', () => {
  expect(ruleById('wild-read')?.title).toContain('outside RAM')
  expect(ruleById('wild')).toBeUndefined()
})

test("a rule of one's own is judged like ours", () => {
  const mine = rule({
    id: 'house/no-events',
    class: 'breach',
    since: '1',
    clause: 'x-1',
    title: 'T',
    visit: ({ events }, report) => {
      report({
        object: null,
        ranges: [],
        offsets: [],
        what: String(events.length),
        why: '',
        fix: '',
        legs: [],
      })
    },
  })
  const hint = advice({
    id: 'house/any',
    since: '1',
    clause: 'x-2',
    title: 'U',
    inspect: (_, report) => {
      report({ object: null, ranges: [], offsets: [], what: '', why: '', fix: '', legs: [] })
    },
  })
  const { recorder } = machine()
  expect(judge(recorder, [mine, hint])).toEqual([
    {
      rule: 'house/no-events',
      class: 'breach',
      clause: 'x-1',
      title: 'T',
      object: null,
      ranges: [],
      offsets: [],
      what: '2',
      why: '',
      fix: '',
      legs: [],
    },
  ])
  expect(advise(image([]), [mine, hint]).map(finding => finding.rule)).toEqual(['house/any'])
})

test('a boot in which every object is read where it lies has no finding', () => {
  const story = loaded()
  readInitrd(story)
  expect(judge(story.recorder)).toEqual([])
})

test.each([
  ['kernel', '.linux'],
  ['initrd#2', '.initrd (number 2)'],
  ['uki:.osrel', '.osrel'],
  ['stub:.text', '.text'],
  ['boot_params', 'boot_params'],
])('%s comes from section %s', (object, section) => {
  expect(sectionOf(object)).toBe(section)
})

test('what a rule finds beyond the most that are listed is counted', () => {
  const many = (count: number, more: number) =>
    advise(image([]), [
      advice({
        id: 'house/many',
        since: '1',
        clause: 'x-3',
        title: 'V',
        inspect: (_, report) => {
          for (let i = 0; i < count; i++)
            report({ object: null, ranges: [], offsets: [], what: '', why: '', fix: '', legs: [] }, more)
        },
      }),
    ]).map(({ what }) => what)
  expect(many(ADVICE_MAX, 0)).toHaveLength(ADVICE_MAX)
  expect(many(ADVICE_MAX + 2, 0)).toHaveLength(ADVICE_MAX + 1)
  expect(many(ADVICE_MAX + 2, 0).at(-1)).toBe('There are 2 more findings of this kind in the file.')
})
