/** The reference pages that are made from the code: both tables of eras, the exported API, the matchers. */
import { posix } from 'node:path'
import ts from 'typescript'
import { eraRow, type Cell } from '../../src/cli/era-rows.ts'
import { kernelEras } from '../../src/kernel/kernels.ts'
import type { EraInfo } from '../../src/machine/model.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { lanzabooteEras } from '../../src/stub/lanzaboote/eras.ts'
import { importsOf, nodesOf, parse } from './repository.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [
    `| ${head.join(' | ')} |`,
    `|${'---|'.repeat(head.length)}`,
    ...rows.map(row => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n')
const page = (...parts: readonly string[]): string => `${parts.join('\n\n')}\n`
const code = (text: string): string => (text === '' ? '' : `\`${text}\``)

// eras.md

interface Row {
  readonly era: EraInfo
  readonly cells: readonly (Cell & { readonly run: unknown })[]
}

function rowsOf(table: readonly (readonly [EraInfo, object])[]): Row[] {
  return table.map(([era, slots]) => {
    const functions = Object.values(slots).filter(one => typeof one === 'function')
    return {
      era,
      cells: eraRow(era, slots).cells.map((one, i) => ({ ...one, run: functions[i] as unknown })),
    }
  })
}

function overview(rows: readonly Row[]): string {
  return table(
    ['era', 'releases', 'what it is', 'other slots than the row above', 'commits', 'read or booted'],
    rows.map(({ era, cells }, i) => {
      const above = rows[i - 1]?.cells
      const changed =
        above === undefined
          ? []
          : cells.filter((one, slot) => one.run !== above[slot]?.run).map(one => one.slot)
      return [
        code(era.id),
        era.spans.map(({ from, to }) => `${from} to ${to}`).join(', '),
        era.title,
        changed.join(', '),
        era.commits.map(code).join(', '),
        era.seen.join(', '),
      ]
    }),
  )
}

/** Who fills a slot how: one line for each different step, with the rows that have it. */
function slots(rows: readonly Row[]): string[] {
  const names = rows[0]?.cells.map(one => one.slot) ?? []
  return names.flatMap((slot, index) => {
    const fillings = new Map<unknown, { readonly cell: Cell; readonly eras: string[] }>()
    for (const { era, cells } of rows) {
      const one = cells[index]
      if (one === undefined) continue
      const known = fillings.get(one.run)
      if (known === undefined) fillings.set(one.run, { cell: one, eras: [era.id] })
      else known.eras.push(era.id)
    }
    const lines = [...fillings.values()].map(({ cell: one, eras }) => [
      code(one.step ?? ''),
      one.clauses.join(', '),
      one.what ?? '',
      eras.map(id => id.slice(id.indexOf('/') + 1)).join(', '),
    ])
    return [`### ${slot}`, table(['step', 'clauses', 'what it does', 'eras'], lines)]
  })
}

/** docs/reference/eras.md. */
export function erasPage(): string {
  const stubs = rowsOf(Object.values(stubEras).map(era => [era, era]))
  const others = rowsOf(Object.values(lanzabooteEras).map(era => [era, era]))
  const kernels = rowsOf(kernelEras.map(era => [era, era.slots]))
  return page(
    '# Eras of stub and kernel',
    'This page is made from `src/stub/eras.ts`, `src/stub/lanzaboote/eras.ts` and `src/kernel/eras.ts`; a test keeps it equal to them. `stubsim eras` prints the same row by row, `stubsim eras --diff A B` what lies between two.',
    'A span of releases is half-open: `249 to 250` ends before 250. The steps of a slot that are made for one row have no name of their own. Clauses: `stubsim spec CLAUSE`, or [spec/](../../spec/README.md).',
    '## systemd-stub',
    overview(stubs),
    ...slots(stubs),
    '## lanzaboote',
    overview(others),
    ...slots(others),
    '## Linux',
    overview(kernels),
    ...slots(kernels),
  )
}

// api.md and matchers.md

type Declared =
  | ts.FunctionDeclaration
  | ts.ClassDeclaration
  | ts.InterfaceDeclaration
  | ts.TypeAliasDeclaration
  | ts.VariableDeclaration

interface Export {
  readonly name: string
  readonly file: string
  readonly declared: Declared
}

function declarationOf(file: string, name: string): Export {
  for (const node of nodesOf(file)) {
    const declares =
      ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      (ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent))
    if (declares && node.name?.getText() === name) return { name, file, declared: node }
  }
  const passedOn = importsOf(file).find(
    one =>
      one.to !== null &&
      [...nodesOf(file)].some(
        node =>
          ts.isExportDeclaration(node) &&
          node.moduleSpecifier?.getText().slice(1, -1) === one.specifier &&
          exportsName(node, name),
      ),
  )
  if (passedOn?.to == null) throw new Error(`${file} exports ${name}, but does not declare it`)
  return declarationOf(passedOn.to, name)
}

function exportsName(node: ts.ExportDeclaration, name: string): boolean {
  return (
    node.exportClause !== undefined &&
    ts.isNamedExports(node.exportClause) &&
    node.exportClause.elements.some(element => element.name.text === name)
  )
}

/** What an index file passes on or declares, in its own order. */
export function exportsOf(index: string): Export[] {
  return parse(index).statements.flatMap(statement => {
    if (
      ts.isExportDeclaration(statement) &&
      statement.moduleSpecifier !== undefined &&
      ts.isStringLiteral(statement.moduleSpecifier) &&
      statement.exportClause !== undefined &&
      ts.isNamedExports(statement.exportClause)
    ) {
      const file = posix.join(posix.dirname(index), statement.moduleSpecifier.text)
      return statement.exportClause.elements.map(element => declarationOf(file, element.name.text))
    }
    const own =
      ts.isInterfaceDeclaration(statement) &&
      statement.modifiers?.some(modifier => modifier.kind === ts.SyntaxKind.ExportKeyword) === true
    return own ? [{ name: statement.name.text, file: index, declared: statement }] : []
  })
}

/** The comment above a declaration as one paragraph. */
export function commentOf(node: ts.Node): string {
  const owner = ts.isVariableDeclaration(node) ? node.parent.parent : node
  return ts
    .getJSDocCommentsAndTags(owner)
    .map(one => ts.getTextOfJSDocComment(one.comment) ?? '')
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const oneLine = (text: string): string =>
  text
    .replaceAll(/([\w>\])}'|])\n(?=\s*readonly )/g, '$1; ')
    .replaceAll(/,(?=\s*[)\]])/g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([([]) | ([)\]])/g, '$1$2')

function signatureOf({ name, declared }: Export): string {
  if (ts.isFunctionDeclaration(declared))
    return `${name}${declared.typeParameters === undefined ? '' : `<${declared.typeParameters.map(one => one.getText()).join(', ')}>`}(${declared.parameters.map(one => oneLine(one.getText())).join(', ')}): ${oneLine(declared.type?.getText() ?? 'void')}`
  return name
}

const KINDS: readonly (readonly [string, (node: Declared) => boolean])[] = [
  ['Functions', ts.isFunctionDeclaration],
  ['Classes', ts.isClassDeclaration],
  ['Values', ts.isVariableDeclaration],
  ['Types', node => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)],
]

function entries(title: string, specifier: string, index: string): string[] {
  const all = exportsOf(index)
  const sections = KINDS.flatMap(([kind, is]) => {
    const some = all.filter(one => is(one.declared))
    if (some.length === 0) return []
    return [
      `### ${kind} of ${specifier}`,
      table(
        ['name', 'what it is', 'source'],
        some.map(one => [code(signatureOf(one)), commentOf(one.declared), code(one.file)]),
      ),
    ]
  })
  return [`## ${title}`, ...sections]
}

/** docs/reference/api.md. */
export function apiPage(): string {
  return page(
    '# The library',
    'This page is made from what `src/index.ts`, `src/report/index.ts` and `src/vitest/index.ts` export, and from the comments there; a test keeps it true.',
    'All of it is synchronous, without I/O, clock or chance. Bad files are data (`problems`), bad arguments throw `UsageError`; `ModelBug` is a bug of ours. Addresses are branded numbers: `phys(0x100000)`. The fields of a type are in its declaration, which an editor shows.',
    ...entries("import … from 'stubsim'", 'stubsim', 'src/index.ts'),
    ...entries("import … from 'stubsim/report'", 'stubsim/report', 'src/report/index.ts'),
    ...entries("import … from 'stubsim/vitest'", 'stubsim/vitest', 'src/vitest/index.ts'),
    'The matchers that this last import adds have [a page of their own](matchers.md).',
  )
}

function members(file: string, name: string): string[][] {
  const { declared } = declarationOf(file, name)
  if (!ts.isInterfaceDeclaration(declared)) throw new Error(`${name} in ${file} is no interface`)
  return declared.members.map(member => [
    code(
      ts.isMethodSignature(member)
        ? `${member.name.getText()}(${member.parameters.map(one => one.getText()).join(', ')})`
        : oneLine(member.getText().replace(/^readonly /, '')),
    ),
    commentOf(member),
  ])
}

const EXAMPLE = `\`\`\`ts
import { expect, test } from 'vitest'
import { scenario } from 'stubsim/vitest'

test('an initrd packed behind an old kernel', () => {
  const image = { stub: '247.3', kernel: '6.12.107-cloud', initrd: '5M' } as const
  expect(scenario({ image })).toHaveHazard('clobbered-object', { object: 'initrd' })
  expect(scenario({ image: { ...image, gap: '64M' } })).toBootCleanly()
})
\`\`\``

/** docs/reference/matchers.md. */
export function matchersPage(): string {
  return page(
    '# Matchers for vitest',
    "This page is made from `src/vitest`; a test keeps it true. `import 'stubsim/vitest'` adds the matchers to `expect`, with their types.",
    EXAMPLE,
    'Each takes what `scenario()` gives, any other input of `check`, or what `check` gave. All can be negated with `.not`. A matcher that fails shows the report.',
    table(['matcher', 'holds when'], members('src/vitest/index.ts', 'BootMatchers')),
    'Rules are listed by `stubsim explain`; objects are `kernel`, `initrd`, `cmdline`, `boot_params`, `stub:.text`, `uki:.osrel` and so on; contracts are the clauses of [chapter HO](../../spec/HO-hand-off.md).',
    '## What a filter may hold',
    '`HazardFilter`:',
    table(['field', 'meaning'], members('src/vitest/matchers.ts', 'HazardFilter')),
    '`RefusalFilter`: `by`, `status`, `clause` and `message` of the refusal.',
    '## scenario(options)',
    'Options of `check` (`stub`, `kernel`, `kaslr`, `secureBoot`, `loadOptions` and so on) go beside these:',
    table(['option', 'meaning'], members('src/vitest/scenario.ts', 'ScenarioOptions')),
    '## uki(options)',
    "Sizes are `4096`, `'5M'` or `'1.5GiB'`.",
    table(['option', 'meaning'], members('src/vitest/builders.ts', 'UkiOptions')),
  )
}
