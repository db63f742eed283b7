/** The reference pages that are made from the code: both tables of eras, the exported API, the matchers. */
import { posix } from 'node:path'
import ts from 'typescript'
import { effectOf } from '../../src/cli/eras.ts'
import { differenceText, inWords, type Product, type ShownEra } from '../../src/cli/product.ts'
import { PRODUCTS } from '../../src/cli/products.ts'
import { canonical } from '../../src/releases/change.ts'
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

const list = (names: readonly string[]): string => names.map(code).join(', ')

/** What changed, when, in which back-ports, by which commit. */
function changes({ history }: Product): string {
  return table(
    ['release', 'what changed', 'also in', 'until', 'commits', 'data'],
    history.changes.map(change => [
      change.in.at(-1) ?? '',
      change.title,
      change.in.slice(0, -1).join(', '),
      (change.until ?? []).join(', '),
      list(change.commits),
      effectOf(history, change).map(differenceText).join('; '),
    ]),
  )
}

function overview({ eras, releases }: Product): string {
  return table(
    ['era', 'releases', 'what it is', 'commits', 'read or booted'],
    eras.map(era => [code(era.id), releases(era.spans), era.title, list(era.commits), era.seen.join(', ')]),
  )
}

/** Which data a record has: one line for each, with its clauses and the eras that have it. */
function records({ eras, clauses }: Product): string[] {
  const names = [...new Set(eras.flatMap(({ behaviour }) => Object.keys(behaviour)))]
  return names.flatMap(name => {
    const fillings = new Map<string, { readonly first: ShownEra; readonly eras: string[] }>()
    for (const era of eras) {
      const key = canonical(era.behaviour[name])
      const known = fillings.get(key) ?? { first: era, eras: [] }
      fillings.set(key, known)
      known.eras.push(era.id.slice(era.id.indexOf('/') + 1))
    }
    const lines = [...fillings.values()].map(({ first, eras: ids }) => [
      inWords(first.behaviour[name]),
      clauses(first.behaviour, name).join(', '),
      ids.join(', '),
    ])
    return [`### ${name}`, table(['data', 'clauses', 'eras'], lines)]
  })
}

/** docs/reference/eras.md. */
export function erasPage(): string {
  return page(
    '# Stubs and kernels, release by release',
    'This page is made from `src/stub/changes.ts`, `src/stub/lanzaboote/changes.ts` ' +
      'and `src/kernel`; a test keeps it equal to them. `stubsim eras` prints the ' +
      'same, `stubsim eras 257.13` the behaviour of one release, `stubsim eras --diff ' +
      'A B` the changes between two.',
    'A change is in force from the named release of the main line on, and from the ' +
      'releases listed as back-ports. An era is a set of releases with the same ' +
      'behaviour. Clauses: `stubsim spec CLAUSE`, or [spec/](../../spec/README.md).',
    ...PRODUCTS.flatMap(product => [
      `## ${product.title}`,
      ...(product.history.changes.length === 0 ? [] : [changes(product)]),
      overview(product),
      ...records(product),
    ]),
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
  if (!ts.isFunctionDeclaration(declared)) return name
  const { typeParameters, parameters, type } = declared
  const generic =
    typeParameters === undefined ? '' : `<${typeParameters.map(one => one.getText()).join(', ')}>`
  const given = parameters.map(one => oneLine(one.getText())).join(', ')
  return `${name}${generic}(${given}): ${oneLine(type?.getText() ?? 'void')}`
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
    'This page is made from what `src/index.ts`, `src/report/index.ts` and ' +
      '`src/vitest/index.ts` export, and from the comments there; a test keeps it up ' +
      'to date.',
    'All of it is synchronous, without I/O, clock or randomness. Bad files are data ' +
      '(`problems`), bad arguments throw `UsageError`; a `ModelBug` is a bug in ' +
      'stubsim. Addresses are branded numbers: `phys(0x100000)`. The fields of a type ' +
      'are in its declaration, which an editor shows.',
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

test('an initrd packed right after an old kernel', () => {
  const image = { stub: '247.3', kernel: '6.12.107-cloud', initrd: '5M' } as const
  expect(scenario({ image })).toHaveHazard('clobbered-object', { object: 'initrd' })
  expect(scenario({ image: { ...image, gap: '64M' } })).toBootCleanly()
})
\`\`\``

/** docs/reference/matchers.md. */
export function matchersPage(): string {
  return page(
    '# Matchers for vitest',
    'This page is made from `src/vitest`; a test keeps it true. `import ' +
      "'stubsim/vitest'` adds the matchers to `expect`, with their types.",
    EXAMPLE,
    'Each takes the result of `scenario()`, any other input of `check`, or a result ' +
      'of `check`. All can be negated with `.not`. A failing matcher shows the report.',
    'A rule, an object, a contract or a clause that does not exist throws ' +
      '`UsageError`, negated or not; a literal that cannot be one is a type error, ' +
      'too. Where an input has a slot of its era replaced by a step of your own, and ' +
      'that slot never ran, every matcher fails and says so.',
    table(['matcher', 'holds when'], members('src/vitest/index.ts', 'BootMatchers')),
    'Rules are listed by `stubsim explain`; objects are `kernel`, `initrd`, ' +
      '`cmdline`, `boot_params`, `stub:.text`, `uki:.osrel` and so on; contracts are ' +
      'the clauses of [chapter HO](../../spec/HO-hand-off.md).',
    '## Filters',
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
