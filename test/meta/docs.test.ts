import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { stubsim } from '../support/program.ts'
import { filesBelow, textOf, TOP } from '../support/repository.ts'

const pages = filesBelow().filter(path => path.endsWith('.md'))

interface Block {
  readonly page: string
  /** What stands after the opening fence: `ts`, `sh sketch`, `text`. */
  readonly kind: string
  readonly code: string
}

const blocks: Block[] = pages.flatMap(page =>
  [...textOf(page).matchAll(/^```(\w*(?: \w+)?)\n([^]*?)^```$/gm)].map(([, kind = '', code = '']) => ({
    page,
    kind,
    code,
  })),
)

/** The anchor that a heading gets. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
}

test('there are pages, and blocks of each kind', () => {
  expect(pages.length).toBeGreaterThan(40)
  for (const kind of ['ts', 'sh', 'text'])
    expect(blocks.filter(block => block.kind === kind).length).toBeGreaterThan(1)
})

test('every code block says what it is: ts and sh are run here, sketches and texts are not', () => {
  expect(
    blocks
      .filter(
        block =>
          !['ts', 'sh', 'text', 'json', 'yaml', 'diff', 'sh sketch', 'ts sketch', 'c sketch'].includes(
            block.kind,
          ),
      )
      .map(({ page, kind }) => `${page}: "${kind}"`),
  ).toEqual([])
})

test('every link inside the repository leads to a file, and every anchor to a heading', () => {
  const broken = pages.flatMap(page =>
    [
      ...textOf(page)
        .replace(/^```[^]*?^```$/gm, '')
        .matchAll(/\]\(([^)\s]+)\)/g),
    ].flatMap(([, link = '']) => {
      if (/^(https?|mailto):/.test(link)) return []
      const [path = '', hash] = link.split('#')
      const target = path === '' ? page : posix.join(posix.dirname(page), path)
      if (!existsSync(join(TOP, target))) return [`${page}: ${link}`]
      return hash === undefined ||
        [...textOf(target).matchAll(/^#+ (.*)$/gm)].some(([, heading = '']) => anchor(heading) === hash)
        ? []
        : [`${page}: ${link}`]
    }),
  )
  expect(broken).toEqual([])
})

/** What a page says of today: of the changes those that are not released, of a superseded record nothing. */
function today(page: string): string {
  const text = textOf(page)
  if (page === 'CHANGELOG.md') return text.split(/^## /m)[1] ?? ''
  return /^Status: .*superseded by/m.test(text) ? '' : text
}

test('every path in backticks is that of a file or folder', () => {
  const paths = pages.flatMap(page =>
    [...today(page).matchAll(/`((?:src|test|docs|spec|samples|\.ci)\/[\w./-]*)`/g)].map(([, path = '']) => ({
      page,
      path,
    })),
  )
  expect(paths.length).toBeGreaterThan(100)
  expect(
    paths.filter(({ path }) => !existsSync(join(TOP, path))).map(({ page, path }) => `${page}: ${path}`),
  ).toEqual([])
})

test('every page of docs and samples is reached from the README', () => {
  const reached = new Set<string>()
  const visit = (page: string): void => {
    if (reached.has(page)) return
    reached.add(page)
    for (const [, link = ''] of textOf(page).matchAll(/\]\(([^)#\s]+)/g)) {
      const target = posix.join(posix.dirname(page), link)
      if (pages.includes(target)) visit(target)
    }
    // What the package does not have is named, not linked
    for (const [, path = ''] of textOf(page).matchAll(/`(test\/[^`\s]+\.md)`/g)) visit(path)
  }
  visit('README.md')
  const linkedByProgram = (page: string): boolean => page.startsWith('docs/hazards/')
  expect(pages.filter(page => !reached.has(page) && !linkedByProgram(page))).toEqual([])
})

/**
 * The page that is made from the command table, and kept equal to it by a test of its own; its examples name
 * files that a reader has.
 */
const GENERATED = 'docs/reference/cli.md'
const commandLines = blocks
  .filter(block => block.kind === 'sh' && block.page !== GENERATED)
  .flatMap(({ page, code }) =>
    code
      .trim()
      .replaceAll(/ \\\n\s*/g, ' ')
      .split('\n')
      .map(line => ({ page, line })),
  )

test('every command of a shell block is one of ours, and runs', async () => {
  const scripts = (JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts
  const wrongWith = async (line: string): Promise<string | null> => {
    const [program, ...args] = line.split(/\s+/)
    if (program === 'npm')
      return scripts[(args[0] === 'run' ? args[1] : args[0]) ?? ''] === undefined ? 'no such script' : null
    if (program !== 'npx' || args[0] !== 'stubsim') return 'not ours'
    const paths = args.slice(1).map(arg => (arg.includes('/') ? join(TOP, arg) : arg))
    const { code, stdout, stderr } = await stubsim(paths)
    return [0, 1].includes(code ?? -1) && stdout !== '' && stderr === ''
      ? null
      : `exit ${String(code)}: ${stderr}`
  }
  const wrong: string[] = []
  for (const { page, line } of commandLines) {
    const why = await wrongWith(line)
    if (why !== null) wrong.push(`${page}: ${line}: ${why}`)
  }
  expect(wrong).toEqual([])
  expect(commandLines.filter(({ line }) => line.startsWith('npx stubsim')).length).toBeGreaterThan(4)
})

const folder = join(TOP, 'reports', `docs-${String(process.pid)}`)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('every ts block compiles against the built package, and its tests pass', () => {
  mkdirSync(folder, { recursive: true })
  const programs = blocks.filter(block => block.kind === 'ts')
  const names = programs.map(
    ({ page, code }, i) =>
      `${String(i)}-${page.replaceAll(/[^a-z0-9]+/gi, '-')}${/^test\(/m.test(code) ? '.test' : ''}.ts`,
  )
  programs.forEach(({ code }, i) => {
    writeFileSync(join(folder, names[i] ?? ''), `${code}\nexport {}\n`)
  })
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '../..' },
      include: ['*.ts'],
    }),
  )
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    // The package is left to node, as it is where it is installed
    `export default {
      root: ${JSON.stringify(folder)},
      test: {
        include: ['*.test.ts'],
        pool: 'threads',
        isolate: false,
        maxWorkers: 1,
        testTimeout: 60_000,
        server: { deps: { external: [/[\\\\/]dist[\\\\/]/] } },
      },
    }\n`,
  )
  const compiled = spawnSync(
    process.execPath,
    [join(TOP, 'node_modules/typescript7/bin/tsc'), '--noEmit', '-p', folder],
    { encoding: 'utf8' },
  )
  expect(compiled.stdout).toBe('')
  expect(compiled.status).toBe(0)
  const ran = spawnSync(
    process.execPath,
    [
      join(TOP, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--config',
      join(folder, 'vitest.config.mjs'),
      '--reporter=json',
    ],
    { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'], NO_COLOR: '1' } },
  )
  const result = JSON.parse(ran.stdout.slice(ran.stdout.indexOf('{'))) as {
    numPassedTests: number
    numFailedTests: number
    success: boolean
    testResults: { message: string; assertionResults: { failureMessages: string[] }[] }[]
  }
  expect(
    result.testResults
      .flatMap(file => [file.message, ...file.assertionResults.flatMap(one => one.failureMessages)])
      .filter(text => text !== ''),
  ).toEqual([])
  expect(result.success).toBe(true)
  expect(result.numPassedTests).toBe(
    programs.reduce((sum, { code }) => sum + (code.match(/^test\(/gm)?.length ?? 0), 0),
  )
}, 120_000)
