import ts from 'typescript'
import { expect, test } from 'vitest'
import { importsOf, nodesOf, parse, sources, textOf, type Import } from '../support/repository.ts'

/** What a folder of src may import besides itself. The ladder of docs/architecture.md. */
const BELOW_STAGES = ['bytes', 'messages', 'releases', 'memory', 'image', 'firmware', 'machine']
const LADDER: Readonly<
  Record<string, { readonly any: readonly string[]; readonly types?: readonly string[] }>
> = {
  bytes: { any: [] },
  messages: { any: [], types: ['memory'] },
  releases: { any: ['bytes'] },
  decode: { any: ['bytes'] },
  memory: { any: ['bytes'] },
  image: { any: ['bytes'] },
  firmware: { any: ['bytes', 'messages', 'releases', 'memory', 'image'] },
  machine: { any: ['bytes', 'releases', 'memory', 'image', 'firmware'] },
  stub: { any: BELOW_STAGES },
  'boot-loader': { any: BELOW_STAGES },
  kernel: { any: [...BELOW_STAGES, 'decode'] },
  boot: { any: [...BELOW_STAGES, 'stub', 'boot-loader', 'kernel'] },
  hazard: { any: ['bytes', 'memory', 'image'] },
  report: { any: ['bytes', 'memory', 'hazard'], types: ['machine', 'boot'] },
  'version.ts': { any: [] },
  'check-with.ts': {
    any: [...BELOW_STAGES, 'stub', 'boot-loader', 'kernel', 'boot', 'hazard', 'report', 'version.ts'],
  },
  'check.ts': { any: ['check-with.ts', 'kernel'] },
  'all-faults.ts': { any: ['boot', 'check.ts'], types: ['firmware'] },
  'index.ts': {
    any: [
      ...BELOW_STAGES,
      'decode',
      'stub',
      'boot-loader',
      'kernel',
      'boot',
      'hazard',
      'report',
      'check.ts',
      'all-faults.ts',
      'version.ts',
    ],
  },
  vitest: {
    any: [
      ...BELOW_STAGES,
      'decode',
      'stub',
      'boot-loader',
      'kernel',
      'boot',
      'hazard',
      'report',
      'check.ts',
      'all-faults.ts',
      'index.ts',
      'version.ts',
    ],
  },
  cli: {
    any: [
      ...BELOW_STAGES,
      'decode',
      'stub',
      'boot-loader',
      'kernel',
      'boot',
      'hazard',
      'report',
      'check-with.ts',
      'check.ts',
      'index.ts',
      'version.ts',
    ],
  },
}
const BARRELS = ['src/index.ts', 'src/vitest/index.ts', 'src/report/index.ts']
/** What src outside cli must not name: the machine it runs on, the clock, chance. */
const FORBIDDEN_NAMES = new Set([
  'process',
  'console',
  'Buffer',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Date',
  'performance',
  'Promise',
  'globalThis',
  'fetch',
  'require',
  '__dirname',
  '__filename',
])

/** bigint-buffer works with Buffer, which is Node's or, in a browser, a stand-in for it. */
const USERS_OF_BUFFER: Readonly<Record<string, readonly string[]>> = {
  Buffer: ['src/bytes/int.ts', 'src/bytes/buffer-stand-in.ts'],
  globalThis: ['src/bytes/buffer-stand-in.ts'],
}

const files = sources()
const roomOf = (path: string): string => path.split('/')[1] ?? ''
const allImports = files.flatMap(importsOf)

test('there are sources to judge', () => {
  expect(files.length).toBeGreaterThan(20)
  expect(allImports.length).toBeGreaterThan(30)
})

test('every folder of src stands on the ladder', () => {
  expect([...new Set(files.map(roomOf))].filter(room => LADDER[room] === undefined)).toEqual([])
})

test('every import of ours goes down the ladder, to a file that exists', () => {
  const wrong = allImports.filter(({ from, to, typeOnly }) => {
    if (to === null) return false
    if (!files.includes(to)) return true
    const [room, other] = [roomOf(from), roomOf(to)]
    const may = LADDER[room]
    return (
      room !== other &&
      may?.any.includes(other) !== true &&
      !(typeOnly && may?.types?.includes(other) === true)
    )
  })
  expect(wrong.map(({ from, specifier }) => `${from}: ${specifier}`)).toEqual([])
})

/** Every chain of imports that leads back to where it began. */
function circles(among: readonly Import[]): string[][] {
  const next = new Map(
    files.map(file => [
      file,
      among.filter(({ from, to }) => from === file && to !== null).map(({ to }) => to ?? ''),
    ]),
  )
  const done = new Set<string>()
  const found: string[][] = []
  const visit = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file])
    else if (!done.has(file)) {
      for (const to of next.get(file) ?? []) visit(to, [...trail, file])
      done.add(file)
    }
  }
  for (const file of files) visit(file, [])
  return found
}

test('no file reaches itself through its imports, imports of types counted', () => {
  expect(circles(allImports).map(circle => circle.join(' -> '))).toEqual([])
})

/** What is x86 says so in its path. */
const isX86 = (path: string): boolean => path.split('/').includes('x86')

/** Who may know what is x86 without being so, and why. A second architecture begins with this list. */
const KNOWS_X86: Readonly<Record<string, string>> = {
  'src/boot-loader/boot-loaders.ts': 'the table of boot loaders',
  'src/kernel/kernels.ts': 'the table of kernels',
  'src/kernel/law.ts': 'the law of the kernels',
  'src/kernel/payload.ts': 'finds the payload of a bzImage',
  'src/stub/setup-header.ts': 'the header that the handover protocol asks for',
  'src/stub/steps/boot-params.ts': 'the handover protocol',
  'src/stub/steps/header-checks.ts': 'the handover protocol',
  'src/stub/steps/kernel-header.ts': 'the header that the handover protocol asks for',
  'src/image/memmap/dialects.ts': 'the table of dialects',
  'src/boot/identify.ts': 'which rows of the tables fit a file',
  'src/index.ts': 'what users may call',
  'src/cli/inspect-source.ts': 'prints the header of a bzImage',
  'src/boot/compare.ts': 'compares what an x86 kernel prints',
  'src/boot/listing.ts': 'names a measured kernel in the place of one that is not there',
  'src/boot/recipe.ts': 'names measured kernels',
  'src/image/synthetic.ts': 'builds the measured kernels, and images with them',
  'src/vitest/builders.ts': 'builds images with measured kernels',
  'src/vitest/builders-as.ts': 'builds images with measured kernels',
  'src/vitest/lanzaboote.ts': 'builds images with measured kernels',
  'src/hazard/kernel-room.ts': 'init_size is a field of the setup header',
}

test('what is not x86 does not know what is, but for the tables, their readers and the builders', () => {
  const knowing = allImports.filter(({ from, to }) => to !== null && isX86(to) && !isX86(from))
  expect([...new Set(knowing.map(({ from }) => from))].sort()).toEqual(Object.keys(KNOWS_X86).sort())
})

/** Who lists types of machines, the simulated one among others. */
const LISTS_MACHINES = [
  'src/image/pe.ts',
  'src/firmware/edk2/image-checks.ts',
  'src/stub/steps/section-table.ts',
]

test('the machine type of images is named in one place; who compares with it asks for NATIVE_MACHINE', () => {
  const naming = files.filter(file => textOf(file).includes('IMAGE_FILE_MACHINE_AMD64'))
  expect(naming.filter(file => !LISTS_MACHINES.includes(file))).toEqual([])
})

test('only the cli imports node modules and pino, only int.ts bigint-buffer, without native code', () => {
  const foreign = allImports.filter(({ to }) => to === null)
  const allowed = ({ from, specifier }: { from: string; specifier: string }): boolean => {
    const room = roomOf(from)
    if (specifier === 'bigint-buffer/dist/browser.js') return from === 'src/bytes/int.ts'
    if (specifier.startsWith('node:') || specifier === 'pino') return room === 'cli'
    if (specifier === 'vitest') return room === 'vitest'
    if (specifier === 'valibot' || specifier === 'yaml') return room === 'cli' || room === 'boot'
    return false
  }
  expect(foreign.filter(one => !allowed(one)).map(({ from, specifier }) => `${from}: ${specifier}`)).toEqual(
    [],
  )
  expect(foreign.filter(({ specifier }) => specifier.startsWith('bigint-buffer'))).toHaveLength(1)
})

test('outside the cli nobody names the process, the console, the clock, chance or a promise', () => {
  const isName = (node: ts.Identifier): boolean => {
    const { parent } = node
    if (ts.isPropertyAccessExpression(parent)) return parent.name !== node
    if (
      ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isPropertyDeclaration(parent)
    )
      return parent.name !== node
    return true
  }
  const wrong = files
    .filter(file => roomOf(file) !== 'cli')
    .flatMap(file =>
      [...nodesOf(file)].flatMap(node => {
        if (
          ts.isIdentifier(node) &&
          FORBIDDEN_NAMES.has(node.text) &&
          isName(node) &&
          !USERS_OF_BUFFER[node.text]?.includes(file)
        )
          return [`${file}: ${node.text}`]
        if (ts.isPropertyAccessExpression(node) && node.getText() === 'Math.random')
          return [`${file}: Math.random`]
        // It awaits vitest once, so that it can say that vitest is missing
        if (file === 'src/vitest/index.ts' && node.kind === ts.SyntaxKind.AwaitExpression) return []
        if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitExpression)
          return [`${file}: async`]
        return []
      }),
    )
  expect(wrong).toEqual([])
})

test('the core throws ModelBug, UsageError and its own Stop, and passes on what it caught', () => {
  const wrong = files
    .filter(file => roomOf(file) !== 'cli')
    .flatMap(file =>
      [...nodesOf(file)].flatMap(node => {
        if (!ts.isThrowStatement(node)) return []
        const thrown = node.expression
        if (ts.isIdentifier(thrown)) return []
        // An expectation that failed, as a test runner wants it
        if (file === 'src/vitest/for-all.ts' && thrown.getText().startsWith('new Error(')) return []
        return ts.isNewExpression(thrown) &&
          ['ModelBug', 'UsageError', 'Stop'].includes(thrown.expression.getText())
          ? []
          : [`${file}: ${node.getText()}`]
      }),
    )
  expect(wrong).toEqual([])
})

test('nothing inherits except the errors', () => {
  const wrong = files.flatMap(file =>
    [...nodesOf(file)].flatMap(node =>
      ts.isHeritageClause(node) &&
      ts.isClassLike(node.parent) &&
      node.token === ts.SyntaxKind.ExtendsKeyword &&
      node.types[0]?.getText() !== 'Error'
        ? [`${file}: ${node.getText()}`]
        : [],
    ),
  )
  expect(wrong).toEqual([])
})

test('only the three entries of the package are barrels', () => {
  const barrels = files.filter(file => {
    const { statements } = parse(file)
    return (
      statements.length > 0 &&
      statements.every(statement => ts.isExportDeclaration(statement) || ts.isImportDeclaration(statement))
    )
  })
  expect(barrels.filter(file => !BARRELS.includes(file))).toEqual([])
})

/** Tables of facts, which are as long as there are facts. */
const DATA = [
  'src/firmware/profile-table.ts',
  'src/messages/meanings.ts',
  'src/image/x86/kernel-facts.ts',
  'src/kernel/x86/changes.ts',
  'src/stub/changes.ts',
]

/** Lines that are neither blank nor a comment nor a bracket alone. */
function linesOfCode(text: string): number {
  return text.split('\n').filter(line => !/^\s*(\/?\*.*|\/\/.*|[\])}>,;]*)$/.test(line)).length
}

test('every file has a docstring first, at most 300 lines of code and a kebab-case name', () => {
  const wrong = files.flatMap(file => {
    const text = textOf(file)
    const name = file.split('/').at(-1) ?? ''
    return [
      /^(#![^\n]*\n)?(\/\/\/ <reference[^\n]*\n)*\/\*\*/.test(text) ? [] : [`${file}: no first line`],
      DATA.includes(file) || linesOfCode(text) <= 300 ? [] : [`${file}: ${String(linesOfCode(text))} lines`],
      /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/.test(name) && !/^(utils?|helpers?|common|misc)\.ts$/.test(name)
        ? []
        : [`${file}: name`],
    ].flat()
  })
  expect(wrong).toEqual([])
})
