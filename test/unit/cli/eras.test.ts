import { expect, test } from 'vitest'
import { eraRow, eraTables } from '../../../src/cli/era-rows.ts'
import { filesBelow, textOf } from '../../support/files.ts'

const { stub, kernel } = eraTables()
const clauses = new Set(
  filesBelow('spec').flatMap(path =>
    [...textOf(path).matchAll(/^### ([A-Z]{2}-\d+):/gm)].map(found => found[1]),
  ),
)

test('every cell of both tables names a clause of the law', () => {
  expect(stub.length).toBeGreaterThan(0)
  expect(kernel.length).toBeGreaterThan(0)
  for (const { id, cells } of [...stub, ...kernel]) {
    expect(cells.length, id).toBeGreaterThan(5)
    for (const { slot, clauses: cited } of cells) {
      expect(cited, `${id} ${slot}`).not.toEqual([])
      for (const clause of cited) expect(clauses, `${id} ${slot}`).toContain(clause)
    }
  }
})

test('a cell that begins no step is shown by its name', () => {
  const info = { id: 'x', title: 'x', spans: [], commits: [], seen: [] }
  function quiet(): void {
    // does nothing, as a step of a table under construction does
  }
  expect(eraRow(info, { slot: quiet, note: 'text' }).cells).toEqual([
    { slot: 'slot', step: 'quiet', clauses: [], what: null },
  ])
})
