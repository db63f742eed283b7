import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { rules } from '../../../src/hazard/registry.ts'
import { formatFinding } from '../../../src/report/text.ts'
import { examples } from './examples.ts'

test('every rule has an example', () => {
  expect(Object.keys(examples).sort()).toEqual(rules.map(({ id }) => id).sort())
})

test.each(rules.map(rule => [rule.id, rule] as const))(
  'the page of %s shows what the rule says about its example',
  (id, { title, clause, class: kind }) => {
    const page = readFileSync(new URL(`../../../docs/hazards/${id}.md`, import.meta.url), 'utf8')
    const findings = examples[id]?.() ?? []
    expect(findings.map(({ rule }) => rule)).toEqual([id])
    const [finding] = findings
    expect(page.startsWith(`# ${id}: ${title}\n\nClass: ${kind}. Defined by clause ${clause}.\n`)).toBe(true)
    expect(/```text\n([^`]*)```/.exec(page)?.[1]).toBe(
      finding === undefined ? '' : formatFinding(finding, [], { width: 80 }),
    )
    expect(page.split('\n').length).toBeLessThanOrEqual(61)
  },
)
