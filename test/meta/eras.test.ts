import ts from 'typescript'
import { expect, test } from 'vitest'
import { readClauses } from '../support/clauses.ts'
import { nodesOf, sources, stringsOf } from '../support/repository.ts'
import { kernelEras } from '../../src/kernel/kernels.ts'
import { canonical } from '../../src/releases/change.ts'
import { clausesFor, type Law } from '../../src/releases/law.ts'
import { STUB_LAW } from '../../src/stub/law.ts'
import { KERNEL_LAW } from '../../src/kernel/law.ts'
import { LANZABOOTE_LAW } from '../../src/stub/lanzaboote/law.ts'
import type { KernelEra } from '../../src/kernel/kernels.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { lanzabooteEras } from '../../src/stub/lanzaboote/eras.ts'

const steps = [
  ...sources('src/stub/steps'),
  ...sources('src/stub/lanzaboote/steps'),
  ...sources('src/kernel/x86/steps'),
]
const rowOf = (era: KernelEra) => ({ ...era, ...era.slots })
const tables = {
  stub: Object.values(stubEras),
  'stub/lanzaboote': lanzabooteEras,
  kernel: kernelEras.map(rowOf),
} as const
const allRows = Object.values(tables).flat()
const eraIds = allRows.map(era => era.id)

type Data = Readonly<Record<string, unknown>>

/** Slots in which all eras of this round do the same, and why the slot is one all the same. */
const ONE_CELL: Readonly<Record<string, string>> = {
  'stub/lanzaboote.handOff':
    'its own handle and LoadFile2 in every release; the way to the image is the slot trust',
}

test('there are steps to judge, and both tables have rows', () => {
  expect(steps.length).toBeGreaterThan(8)
  expect(tables.stub.length).toBeGreaterThan(1)
  expect(tables.kernel.length).toBeGreaterThan(3)
})

test('every row has an id of its own', () => {
  expect(new Set(eraIds).size).toBe(eraIds.length)
  for (const [id, era] of Object.entries(stubEras)) expect(era.id).toBe(id)
})

test('no step names a release or an era', () => {
  const wrong = steps.flatMap(file => [
    ...stringsOf(file)
      .filter(
        text =>
          /(^|[^\w.])v?\d{1,3}\.\d+(\.\d+)?(-rc\d)?\b/.test(text) ||
          eraIds.some(id => text.includes(id)) ||
          /\b(systemd-stub|linux)\/[A-Z]\d/.test(text),
      )
      .map(text => `${file}: ${text}`),
    ...[...nodesOf(file)]
      .filter(node => ts.isNumericLiteral(node) && node.getText().includes('.'))
      .map(node => `${file}: ${node.getText()}`),
    ...[...nodesOf(file)]
      .filter(
        node => ts.isPropertyAccessExpression(node) && ['spans', 'seen', 'commits'].includes(node.name.text),
      )
      .map(node => `${file}: ${node.getText()}`),
  ])
  expect(wrong).toEqual([])
})

test('releases are compared in one place only', () => {
  const users = sources().filter(
    file =>
      stringsOf(file).length > 0 &&
      /compareVersions?\b|parseVersion\b|inSpan\b/.test(
        [...nodesOf(file)]
          .filter(ts.isIdentifier)
          .map(node => node.text)
          .join(' '),
      ),
  )
  expect(users.filter(file => !/^src\/(boot|releases)\//.test(file))).toEqual([])
})

for (const [name, rows] of Object.entries(tables)) {
  const cells = rows.flatMap(era =>
    Object.entries(era).flatMap(([slot, cell]) =>
      typeof cell === 'function' ? [{ era: era.id, slot, cell: cell as (...args: never) => unknown }] : [],
    ),
  )
  const slots = [...new Set(cells.map(({ slot }) => slot))]

  test(`every row of the ${name} table fills every slot`, () => {
    expect(slots.length).toBeGreaterThan(3)
    for (const era of rows) expect([era.id, slots.filter(slot => !(slot in era))]).toEqual([era.id, []])
  })

  test(`every cell of the ${name} table is a function`, () => {
    expect(
      rows.flatMap(era =>
        slots
          .filter(slot => typeof (era as unknown as Record<string, unknown>)[slot] !== 'function')
          .map(slot => `${era.id} ${slot}`),
      ),
    ).toEqual([])
  })

  test(`every slot of the ${name} table is filled in at least two ways, or is listed with its reason`, () => {
    const uniform = slots.filter(
      slot => new Set(cells.filter(one => one.slot === slot).map(one => one.cell)).size < 2,
    )
    const listed = Object.keys(ONE_CELL).flatMap(key =>
      key.startsWith(`${name}.`) ? [key.slice(name.length + 1)] : [],
    )
    expect(uniform.sort()).toEqual(listed.sort())
  })
}

test.each([
  ['stub', Object.values(stubEras), STUB_LAW],
  ['stub/lanzaboote', lanzabooteEras, LANZABOOTE_LAW],
  ['kernel', kernelEras, KERNEL_LAW],
] as const)('every record of the %s table follows a clause of the law', (_, eras, law) => {
  const known = new Set(readClauses().clauses.map(clause => clause.id))
  const cited = eras.flatMap(({ id, behaviour }) =>
    Object.keys(law).map(record => ({
      id,
      record,
      clauses: clausesFor(law as Law<object>, behaviour, record as never),
    })),
  )
  // a fat stub has no hash to compare; a kernel that takes pool, or borrows the trampoline always, does as
  // all do
  const silent = ({ id, record }: { id: string; record: string }): boolean =>
    (record === 'trust' && id.endsWith('/fat')) ||
    (id.startsWith('linux/') && ['commandLine', 'trampoline'].includes(record))
  expect(cited.filter(one => one.clauses.length === 0 && !silent(one))).toEqual([])
  expect(cited.flatMap(one => one.clauses.filter(clause => !known.has(clause)))).toEqual([])
})

test('every record of a stub differs between releases', () => {
  for (const eras of [Object.values(stubEras), lanzabooteEras]) {
    const records = Object.keys(eras[0]?.behaviour ?? {})
    const alike = records.filter(
      record =>
        new Set(eras.map(({ behaviour }) => canonical((behaviour as unknown as Data)[record]))).size < 2,
    )
    expect(alike).toEqual([])
  }
})

test('every row says which releases behave so, and what was seen or which commits began it', () => {
  for (const era of allRows) {
    expect([
      era.id,
      era.seen.length + era.commits.length > 0,
      era.spans.length > 0,
      era.title.length > 0,
    ]).toEqual([era.id, true, true, true])
    for (const commit of era.commits) expect(commit).toMatch(/^[0-9a-f]{10,12}$/)
  }
})
