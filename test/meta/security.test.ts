import { expect, test } from 'vitest'
import { importsOf, sources, textOf } from '../support/repository.ts'

interface Vex {
  readonly statements: readonly {
    readonly vulnerability: { readonly name: string; readonly aliases: readonly string[] }
    readonly products: readonly { readonly subcomponents: readonly { readonly '@id': string }[] }[]
    readonly status: string
    readonly impact_statement: string
  }[]
}

const page = textOf('SECURITY.md')
const vex = JSON.parse(textOf('.openvex.json')) as Vex
const [statement] = vex.statements
const manifest = JSON.parse(textOf('package.json')) as {
  devDependencies: Record<string, string>
  allowScripts: Record<string, boolean>
}

test('the exemption for bigint-buffer is the same in prose and VEX, for the installed version', () => {
  expect(vex.statements).toHaveLength(1)
  expect(statement?.status).toBe('not_affected')
  const until = /expires on (\d{4}-\d\d-\d\d)/
  expect(until.exec(page)?.[1]).toBe(until.exec(statement?.impact_statement ?? 'none')?.[1])
  for (const id of [statement?.vulnerability.name, ...(statement?.vulnerability.aliases ?? [])])
    expect(page).toContain(id)
  expect(statement?.products[0]?.subcomponents[0]?.['@id']).toBe(
    `pkg:npm/bigint-buffer@${String(manifest.devDependencies['bigint-buffer'])}`,
  )
  expect(
    (JSON.parse(textOf('package-lock.json')) as { packages: Record<string, { version: string }> }).packages[
      'node_modules/bigint-buffer'
    ]?.version,
  ).toBe(manifest.devDependencies['bigint-buffer'])
})

test('the install script of bigint-buffer is denied', () => {
  expect(manifest.allowScripts).toEqual({ 'bigint-buffer': false })
})

test('every test that SECURITY.md calls as a witness exists', () => {
  const named = [...page.matchAll(/`(test\/[^`]+)`/g)].map(([, path = '']) => path)
  expect(named.length).toBeGreaterThanOrEqual(5)
  for (const path of named) expect(textOf(path)).toContain('test(')
})

test('SECURITY.md names what is bundled, and nothing else', () => {
  const rows = [...page.matchAll(/^\| ([a-z-]+)[^|]*\| (?:library|program)/gm)].map(([, name = '']) => name)
  const used = sources()
    .flatMap(importsOf)
    .flatMap(({ to, specifier }) => (to === null && !specifier.startsWith('node:') ? [specifier] : []))
    .map(specifier => specifier.split('/')[0])
  expect(rows.sort()).toEqual([...new Set(used)].filter(name => name !== 'vitest').sort())
})
