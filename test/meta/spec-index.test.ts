import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ClausePlaces } from '../../src/cli/clause-index.ts'
import { isNormative, readClauses } from '../support/clauses.ts'
import { textOf, TOP } from '../support/repository.ts'

const { clauses } = readClauses()
const index = JSON.parse(textOf('dist/spec-index.json')) as Record<string, ClausePlaces>
const entries = Object.entries(index)

/**
 * Sources that are no place on the web: our own recordings, and descriptions that stand elsewhere one by one.
 */
const WITHOUT_LINK = ['oracle', 'quirks']

test('the index that the build makes has every clause', () => {
  expect(Object.keys(index).sort()).toEqual(clauses.map(({ id }) => id).sort())
})

test('every source of a clause has its link, at the version that is cited', () => {
  const named = (source: string): string => /^[^\s,]+/.exec(source)?.[0] ?? ''
  for (const { id, sources } of clauses) {
    const linked = sources.filter(source => !WITHOUT_LINK.includes(named(source)))
    expect([id, index[id]?.upstream.length === 0]).toEqual([id, linked.length === 0])
    for (const source of linked) {
      const version = /@(?:stable)?([^\s,]+)/.exec(source)?.[1] ?? ''
      const file = /^[^\s,]+[\s,]+(\S*\/[^\s,;]*\.\w+)/.exec(source)?.[1]
      const links =
        index[id]?.upstream.filter(link => version === '' || isAt(link, named(source), version)) ?? []
      expect([source, links.length > 0]).toEqual([source, true])
      const isWhole = links.some(link => link.includes('/commit/'))
      if (file !== undefined && !isWhole)
        expect([source, links.some(link => link.includes(file))]).toEqual([source, true])
    }
  }
})

/** Versions that are not a part of their link: years, branches and Debian's way to write them. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'pe@2024': 'pe-format',
  'edk2@main-2026-07': 'ca8de19382',
  'grub-rhboot@fedora-44': '5e9e7e44',
  'grub-debian@2.12-9+deb13u2': '2.12-9%2Bdeb13u2',
  'grub@2.06-debian': '2.06-13%2Bdeb12u1',
}

function isAt(link: string, source: string, version: string): boolean {
  return link.includes(OTHERWISE[source] ?? version)
}

test('links are addresses and nothing is left to fill in', () => {
  for (const [, { upstream }] of entries)
    for (const link of upstream) {
      expect(link).toMatch(/^https:\/\/[\w.]+\/[\w./%?=&~-]*$/)
      expect(new URL(link).href).toBe(link)
    }
})

test('every function that is named stands in its file, every test in its own', () => {
  for (const [id, { code, tests }] of entries) {
    for (const [file, name] of code) {
      const words = (name ?? '').split('.')
      expect([id, file, words.filter(word => !textOf(file).includes(word))]).toEqual([id, file, []])
    }
    for (const [file, name] of tests) {
      expect([id, file.startsWith('test/spec/') && existsSync(join(TOP, file))]).toEqual([id, true])
      const plain = textOf(file).replaceAll("\\'", "'")
      if (name !== null) expect([id, plain.includes(name.replace(/…$/, ''))]).toEqual([id, true])
    }
  }
})

test('every clause that somebody looked up is obeyed somewhere and held by a test', () => {
  const normative = clauses.filter(isNormative).map(({ id }) => id)
  expect(normative.filter(id => (index[id]?.code.length ?? 0) === 0)).toEqual([])
  expect(normative.filter(id => (index[id]?.tests.length ?? 0) === 0)).toEqual([])
})

test('the function that obeys a clause comes first', () => {
  expect(index['ZO-12']?.code[0]?.[1]).toBe('extractTo')
  expect(index['HO-4']?.code[0]).toEqual(['src/machine/x86/contracts.ts', 'initWindow'])
  expect(index['HZ-6']?.code[0]).toEqual(['src/hazard/rules/init-window-occupied.ts', 'initWindowOccupied'])
})
