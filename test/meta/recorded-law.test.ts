/** The law is closed over recordings: what it says happens in some boot, and what happens is in the law. */
import { expect, test } from 'vitest'
import { isNormative, readClauses } from '../support/clauses.ts'
import { clausesRecordedBy } from '../support/recorded-clauses.ts'
import { textOf } from '../support/repository.ts'
import { callServices, loadFiles } from './recordings/firmwares.ts'
import { bootByProtocol, bootKernels, bootLoaders, bootPairs, bootPayloads } from './recordings/kernels.ts'
import { decidedBy, type Note } from './recordings/note.ts'
import { bootLanzaboote, bootStubs } from './recordings/stubs.ts'

/** HZ is about what is made of a recording. */
const CHAPTERS = ['FW', 'PE', 'ST', 'LZ', 'HO', 'EP', 'ZO']
const { clauses } = readClauses()
const unrecorded = new Map(
  textOf('test/meta/recordings/unrecorded.txt')
    .trimEnd()
    .split('\n')
    .map(line => [line.slice(0, 7).trim(), line.slice(7)] as const),
)

function allClauses(): Set<string> {
  const seen = new Set<string>()
  const note: Note = outcome => {
    const clause = decidedBy(outcome)
    if (clause !== null) seen.add(clause)
  }
  const recorded = clausesRecordedBy(() => {
    bootPairs(note)
    bootStubs(note)
    bootLanzaboote(note)
    bootKernels(note)
    bootByProtocol(note)
    bootLoaders(note)
    bootPayloads(note)
    callServices()
    loadFiles()
  })
  return new Set([...seen, ...recorded])
}

test('every normative clause occurs in a recording, or is listed with the reason why it cannot', () => {
  const seen = allClauses()
  const wanted = clauses.filter(clause => isNormative(clause) && CHAPTERS.includes(clause.chapter))
  expect(
    wanted.filter(({ id }) => !seen.has(id) && !unrecorded.has(id)).map(({ id, title }) => `${id}: ${title}`),
    'occur in no recording: record a step, or give the reason in recordings/unrecorded.txt',
  ).toEqual([])
  expect(
    [...unrecorded.keys()].filter(id => seen.has(id)),
    'are recorded: take them off recordings/unrecorded.txt',
  ).toEqual([])
  const known = new Set(clauses.filter(({ withdrawn }) => !withdrawn).map(({ id }) => id))
  expect([...seen].filter(id => !known.has(id) && !id.startsWith('x-'))).toEqual([])
}, 60_000)

test('the list of clauses in no recording is in the order of the law, with a reason each', () => {
  const ids = [...unrecorded.keys()]
  expect(ids.filter(id => !clauses.some(clause => clause.id === id && isNormative(clause)))).toEqual([])
  const order = clauses
    .toSorted((a, b) => CHAPTERS.indexOf(a.chapter) - CHAPTERS.indexOf(b.chapter) || a.serial - b.serial)
    .map(({ id }) => id)
  expect(ids).toEqual(order.filter(id => unrecorded.has(id)))
  expect([...unrecorded.values()].filter(reason => !/^\S.{10,}\S$/.test(reason))).toEqual([])
})
