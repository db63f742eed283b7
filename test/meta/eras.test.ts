import { posix } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { CLAUSE_ID, readClauses } from '../support/clauses.ts'
import { nodesOf, parse, sources, stringsOf } from '../support/repository.ts'
import { cellOf } from '../../src/cli/era-rows.ts'
import { kernelEras, type KernelEra } from '../../src/kernel/kernels.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { lanzabooteEras } from '../../src/stub/lanzaboote/eras.ts'

const steps = [
  ...sources('src/stub/steps'),
  ...sources('src/stub/lanzaboote/steps'),
  ...sources('src/kernel/steps'),
]
const rowOf = (era: KernelEra) => ({ ...era, ...era.slots })
const tables = {
  stub: Object.values(stubEras),
  'stub/lanzaboote': lanzabooteEras,
  kernel: kernelEras.map(rowOf),
} as const
const allRows = Object.values(tables).flat()
const eraIds = allRows.map(era => era.id)

interface NamedCell {
  readonly slot: string
  readonly file: string
  readonly step: string
  /** Clauses that the table itself gives to the step. */
  readonly given: readonly string[]
}

const clausesIn = (node: ts.Node): string[] => [...node.getText().matchAll(CLAUSE_ID)].map(([id]) => id)

/**
 * The steps that a table names for its slots: imported, directly or through a constant of the table's file,
 * with or without arguments.
 */
function cellsNamedIn(table: string, slots: readonly string[]): NamedCell[] {
  const imported = new Map<string, string>()
  const constants = new Map<string, ts.Expression>()
  for (const node of nodesOf(table)) {
    if (
      ts.isImportDeclaration(node) &&
      ts.isStringLiteral(node.moduleSpecifier) &&
      node.moduleSpecifier.text.startsWith('./steps/')
    ) {
      const bindings = node.importClause?.namedBindings
      const file = posix.join(posix.dirname(table), node.moduleSpecifier.text)
      if (bindings !== undefined && ts.isNamedImports(bindings))
        for (const element of bindings.elements) imported.set(element.name.text, file)
    }
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
      constants.set(node.name.text, node.initializer)
  }
  const resolve = (slot: string, cell: ts.Expression, given: readonly string[]): NamedCell => {
    if (ts.isCallExpression(cell))
      return resolve(slot, cell.expression, [...given, ...cell.arguments.flatMap(clausesIn)])
    if (!ts.isIdentifier(cell))
      throw new Error(`${table}: ${slot} is ${cell.getText()}, neither a step nor a call of one`)
    const file = imported.get(cell.text)
    const constant = constants.get(cell.text)
    if (file !== undefined) return { slot, file, step: cell.text, given }
    if (constant === undefined) throw new Error(`${table}: ${slot} names ${cell.text}, which is no step`)
    return resolve(slot, constant, given)
  }
  return [...nodesOf(table)].flatMap(node => {
    if (ts.isPropertyAssignment(node) && slots.includes(node.name.getText()))
      return [resolve(node.name.getText(), node.initializer, [])]
    return []
  })
}

/**
 * Clauses that a declaration of a file cites in strings, itself or through other declarations of that file.
 */
function clausesOf(file: string, name: string, seen = new Set<string>()): string[] {
  if (seen.has(name)) return []
  seen.add(name)
  for (const statement of parse(file).statements) {
    const declares = ts.isFunctionDeclaration(statement)
      ? statement.name?.text === name
      : ts.isVariableStatement(statement) &&
        statement.declarationList.declarations.some(declaration => declaration.name.getText() === name)
    if (!declares) continue
    const below: ts.Node[] = []
    const collect = (node: ts.Node): void => {
      below.push(node)
      ts.forEachChild(node, collect)
    }
    collect(statement)
    return below.flatMap(node =>
      ts.isStringLiteral(node)
        ? clausesIn(node)
        : ts.isIdentifier(node)
          ? clausesOf(file, node.text, seen)
          : [],
    )
  }
  return []
}

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

  test(`every cell of the ${name} table is a function, and the step that it names runs under a clause of the law`, () => {
    const law = new Set(readClauses().clauses.map(clause => clause.id))
    expect(
      rows.flatMap(era =>
        slots
          .filter(slot => typeof (era as unknown as Record<string, unknown>)[slot] !== 'function')
          .map(slot => `${era.id} ${slot}`),
      ),
    ).toEqual([])
    const named =
      name === 'kernel'
        ? []
        : sources(`src/${name}`)
            .filter(file => /\/eras[^/]*\.ts$/.test(file))
            .flatMap(file => cellsNamedIn(file, slots))
    const made = name === 'kernel' ? cells.map(({ slot, cell }) => cellOf(slot, cell)) : []
    expect(new Set([...named, ...made].map(cell => cell.slot))).toEqual(new Set(slots))
    const cited = [
      ...named.map(cell => ({
        ...cell,
        clauses: [...new Set([...cell.given, ...clausesOf(cell.file, cell.step)])],
      })),
      ...made,
    ]
    expect(
      cited
        .filter(({ clauses }) => clauses.length === 0 || clauses.some(id => !law.has(id)))
        .map(({ slot, step, clauses }) => `${slot}: ${String(step)} cites ${clauses.join(' ') || 'nothing'}`),
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

test('every row says which releases behave so, and what was seen or which commits began it', () => {
  for (const era of allRows) {
    expect([
      era.id,
      era.seen.length + era.commits.length > 0 || era === allRows.at(-kernelEras.length),
      era.spans.length > 0,
      era.title.length > 0,
    ]).toEqual([era.id, true, true, true])
    for (const commit of era.commits) expect(commit).toMatch(/^[0-9a-f]{10,12}$/)
  }
})
