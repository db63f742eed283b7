/**
 * Runs tests against changed sources: `npx vitest run --config test/mutation/vitest.config.ts [paths]`. See
 * docs/explanation/mutation.md.
 */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { filesBelow, TOP } from '../support/files.ts'
import { chosen, mutantsOf, switched, wantedIn, type Mutant, type Wanted } from './mutants.ts'

/** How many changes, which ones, and in which folders of src. */
const COUNT = Number(process.env['MUTANTS'] ?? 300)
const SEED = Number(process.env['MUTANTS_SEED'] ?? 1)
const FOLDERS = (process.env['MUTANTS_IN'] ?? 'stub,kernel,firmware,hazard').split(',')
/** A JSON file of changes that are wanted, in place of a sample. */
const { MUTANTS_FILE } = process.env

const text = (file: string): string => readFileSync(join(TOP, file), 'utf8')
const wanted = MUTANTS_FILE === undefined ? [] : (JSON.parse(readFileSync(MUTANTS_FILE, 'utf8')) as Wanted[])
const files = filesBelow('src').filter(file => file.endsWith('.ts'))
const all = files
  .filter(file => FOLDERS.some(folder => file.startsWith(`src/${folder}/`)))
  .flatMap(file => mutantsOf(file, text(file)))
const keyOf = ({ file, line, from, to }: Mutant): string => JSON.stringify([file, line, from, to])
/** Places with the same text in one line are changed together. */
const unique = (list: readonly Mutant[]): readonly Mutant[] => [
  ...new Map(list.map(mutant => [keyOf(mutant), mutant])).values(),
]
const mutants = unique(
  wanted.length > 0 ? files.flatMap(file => wantedIn(file, text(file), wanted)) : chosen(all, COUNT, SEED),
)
for (const { file, from, line } of wanted)
  if (!mutants.some(one => one.file === file && one.from === from && one.line === (line ?? one.line)))
    throw new Error(`${file} has no ${from}${line === undefined ? '' : ` in line ${String(line)}`}`)

/** The number of a change, from 0. */
const idOf = (mutant: Mutant): number => mutants.findIndex(one => keyOf(one) === keyOf(mutant))

const home = mkdtempSync(join(tmpdir(), 'stubsim-mutation-'))
writeFileSync(join(home, 'mutants.json'), JSON.stringify(mutants))
process.env['MUTANTS_HOME'] = home
console.log(`${String(mutants.length)} of ${String(all.length)} changes; results in ${home}`)

export default defineConfig({
  root: TOP,
  plugins: [
    {
      name: 'mutants',
      enforce: 'pre',
      transform(code, id) {
        const file = relative(TOP, id.split('?')[0] ?? id)
        if (!file.startsWith('src/') || !file.endsWith('.ts')) return null
        const own = mutants.filter(mutant => mutant.file === file)
        return { code: switched(file, code, own, wanted, idOf), map: null }
      },
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/real/**', 'test/package/**', 'test/bench/**', 'test/cli/**', 'test/meta/**'],
    globalSetup: ['test/support/fresh-dist.ts'],
    setupFiles: ['test/mutation/switch.ts'],
    runner: 'test/mutation/runner.ts',
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    testTimeout: 3_600_000,
    reporters: ['default'],
  },
})
