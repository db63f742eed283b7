import ts from 'typescript'
import { expect, test } from 'vitest'
import { readClauses } from '../support/clauses.ts'
import { filesBelow, nodesOf, sources, stringsOf, textOf } from '../support/repository.ts'
import { rules } from '../../src/hazard/registry.ts'
import { examples } from '../unit/hazard/examples.ts'

const ruleFiles = [...filesBelow('src/hazard/rules'), ...filesBelow('src/hazard/advice')]
const nameOf = (path: string): string => path.replace(/^.*\/|\.[a-z]+$/g, '')
const pages = filesBelow('docs/hazards').filter(path => path.endsWith('.md') && !path.endsWith('/README.md'))
const ids = ruleFiles.map(nameOf)

const lawTests = filesBelow('test/spec').filter(path => path.endsWith('.test.ts'))

test('there are rules of all three classes', () => {
  expect([...new Set(rules.map(rule => rule.class))].sort()).toEqual(['advice', 'breach', 'damage'])
})

test('every rule file is one registered rule of its name, and every registered rule has a file', () => {
  expect([...rules.map(rule => rule.id)].sort()).toEqual([...ids].sort())
  expect(new Set(ids).size).toBe(ids.length)
  for (const rule of rules)
    expect(ruleFiles).toContain(`src/hazard/${rule.class === 'advice' ? 'advice' : 'rules'}/${rule.id}.ts`)
})

test('every rule says since when, in one line, and under a clause that exists', () => {
  const clauses = new Set(readClauses().clauses.map(clause => clause.id))
  for (const rule of rules) {
    expect(rule.id).toMatch(/^[a-z]+(-[a-z0-9]+)*$/)
    expect([rule.id, clauses.has(rule.clause)]).toEqual([rule.id, true])
    expect(rule.since).toMatch(/^\d+\.\d+\.\d+$/)
    expect(rule.title).toMatch(/^[A-Z].*[^.]$/)
  }
})

test('every rule has a page and every page has a rule', () => {
  expect(pages.map(nameOf).sort()).toEqual([...ids].sort())
})

test('every page says what, why and what to do, shows an example and names the eras', () => {
  const wrong = rules.flatMap(rule => {
    const headings = textOf(`docs/hazards/${rule.id}.md`)
      .match(/^#+ .*$/gm)
      ?.slice(1)
    return headings?.join() === ['## Why it happens', '## Example', '## What to do', '## Eras'].join()
      ? []
      : [rule.id]
  })
  expect(wrong).toEqual([])
})

test('every rule is named by a law test', () => {
  const named = new Set(lawTests.flatMap(stringsOf))
  expect(ids.filter(id => ![...named].some(text => text.split(/[^a-z0-9-]+/).includes(id)))).toEqual([])
})

test('every rule is seen to fire, and to fire alone, in its example', () => {
  expect(Object.keys(examples).sort()).toEqual([...ids].sort())
  for (const [id, example] of Object.entries(examples))
    expect([id, example().map(finding => finding.rule)]).toEqual([id, [id]])
})

/** The clauses whose keeping src records as a contract of a hand-off. */
function evaluatedContracts(): Set<string> {
  const found = new Set(stringsOf('src/machine/x86/contracts.ts').filter(text => /^HO-\d+$/.test(text)))
  const recording = sources().filter(file => textOf(file).includes('machine.contract('))
  for (const node of recording.flatMap(file => [...nodesOf(file)])) {
    if (!ts.isCallExpression(node) || !/\bmachine\.contract$/.test(node.expression.getText())) continue
    for (const [, clause = ''] of node.getText().matchAll(/clause: '([A-Z]{2}-\d+)'/g)) found.add(clause)
  }
  return found
}

test('every contract belongs to one rule, a breach; a rule names only evaluated contracts', () => {
  const claimed = rules.flatMap(rule =>
    rule.class === 'advice' ? [] : (rule.contracts ?? []).map(clause => ({ clause, class: rule.class })),
  )
  expect(claimed.map(({ clause }) => clause).sort()).toEqual([...evaluatedContracts()].sort())
  expect(claimed.filter(rule => rule.class !== 'breach')).toEqual([])
  expect(claimed.length).toBeGreaterThan(9)
})

test('outside src/hazard nobody names a rule', () => {
  const others = sources().filter(file => !file.startsWith('src/hazard/'))
  const named = others.flatMap(file =>
    stringsOf(file)
      .filter(text => ids.includes(text))
      .map(text => `${file}: ${text}`),
  )
  expect(named).toEqual([])
})
