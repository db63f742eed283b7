import ts from 'typescript'
import { expect, test } from 'vitest'
import * as report from '../../src/report/index.ts'
import * as main from '../../src/index.ts'
import * as vitest from '../../src/vitest/index.ts'
import { apiPage, commentOf, erasPage, exportsOf, matchersPage } from '../support/reference.ts'
import { scenarioPage } from '../support/scenario-page.ts'

const INDEXES = ['src/index.ts', 'src/report/index.ts', 'src/vitest/index.ts'] as const

test('docs/reference/eras.md is the two tables (update with vitest -u)', async () => {
  await expect(erasPage()).toMatchFileSnapshot('../../docs/reference/eras.md')
})

test('docs/reference/api.md is what the package exports (update with vitest -u)', async () => {
  await expect(apiPage()).toMatchFileSnapshot('../../docs/reference/api.md')
})

test('docs/reference/matchers.md is what the matchers take (update with vitest -u)', async () => {
  await expect(matchersPage()).toMatchFileSnapshot('../../docs/reference/matchers.md')
})

test('docs/reference/scenario.md has the table of settings (update with vitest -u)', async () => {
  const page = scenarioPage()
  expect(page).toMatch(/\| `deep` \| `true`: .*\n\n/)
  await expect(page).toMatchFileSnapshot('../../docs/reference/scenario.md')
})

test('the reader of exports finds every value that the modules have', () => {
  const values = INDEXES.map(index =>
    exportsOf(index)
      .filter(({ declared }) => !ts.isInterfaceDeclaration(declared) && !ts.isTypeAliasDeclaration(declared))
      .map(({ name }) => name)
      .sort(),
  )
  expect(values).toEqual([main, report, vitest].map(module => Object.keys(module).sort()))
})

test('everything that is exported says what it is', () => {
  expect(
    INDEXES.flatMap(exportsOf)
      .filter(({ declared }) => commentOf(declared) === '')
      .map(({ name, file }) => `${file}: ${name}`),
  ).toEqual([])
})
