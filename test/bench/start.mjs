// What starting costs: CPU time of whole processes, as ratios to that of `node -e 0`, all measured in turns.
// `npm run bench` ends with it; `npm run bench -- DIST` compares with the dist/ of another commit; the Node
// is the one that runs this file. Needs bash, whose `time` knows what a process and its threads spent.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { uki } from '../../dist/vitest/index.js'

const ROUNDS = 25
const ours = join(dirname(fileURLToPath(import.meta.url)), '../../dist')
const theirs = process.argv[2] === undefined ? null : resolve(process.argv[2])

const folder = mkdtempSync(join(tmpdir(), 'stubsim-start-'))
const file = (name, content) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const source = uki({ initrd: '20M' })
const image = file('uki.efi', source.read(0, source.size))

/** What is run with a dist/, by name. */
function programs(dist, mark) {
  const library = JSON.stringify(pathToFileURL(join(dist, 'index.js')).href)
  const importing = file(`import-${mark}.mjs`, `import ${library}\n`)
  const checking = file(
    `check-${mark}.mjs`,
    `import { readFileSync } from 'node:fs'
import { bytesSource, check, profileMap, profileNamed } from ${library}
const map = profileMap(profileNamed('ovmf-2022.11-q35'), 512 * 2 ** 20)
const source = bytesSource(readFileSync(process.argv[2]))
check({ image: { name: 'uki', source }, machine: { what: 'bench', map } })
`,
  )
  const main = join(dist, 'cli/main.js')
  return {
    'stubsim --version': [main, '--version'],
    'stubsim check': [main, 'check', image, '--ram', '512MiB', '--firmware', 'ovmf-2022.11-q35'],
    'import of the library': [importing],
    'import and one check': [checking, image],
  }
}

/** CPU milliseconds of a process, user and system. */
function cost(args) {
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT="%3U %3S"; time "$@" 2>&1', 'bash', process.execPath, ...args],
    // No NODE_OPTIONS, no certificates of one's own: some Node read them before anything else
    { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  )
  if (status !== 0) throw new Error(`node ${args.join(' ')}: exit ${status}`)
  const [user, system] = stderr.trim().split(' ').map(Number)
  return 1000 * (user + system)
}

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const mine = programs(ours, 'ours')
const other = theirs === null ? {} : programs(theirs, 'theirs')
const runs = { 'node -e 0': ['-e', '0'] }
for (const [name, args] of Object.entries(mine)) runs[name] = args
for (const [name, args] of Object.entries(other)) runs[`${name}, before`] = args

const spent = Object.fromEntries(Object.keys(runs).map(name => [name, []]))
for (const args of Object.values(runs)) cost(args)
for (let round = 0; round < ROUNDS; round++)
  for (const [name, args] of Object.entries(runs)) spent[name].push(cost(args))
rmSync(folder, { recursive: true })

/** Round by round, so that a machine that slows down slows both. */
const ratio = (name, base) => median(spent[name].map((value, round) => value / spent[base][round]))

console.log(
  `\nstarting on Node ${process.versions.node}: CPU of whole processes, medians of ${ROUNDS} rounds in turns`,
)
for (const name of Object.keys(mine)) {
  const against = `${name}, before`
  const line =
    `${name.padEnd(58)} ${median(spent[name]).toFixed(0).padStart(6)} ms  x ` +
    `${ratio(name, 'node -e 0').toFixed(2)} node -e 0`
  console.log(
    theirs === null
      ? line
      : `${line}, before x ${ratio(against, 'node -e 0').toFixed(2)}; x ` +
          `${ratio(name, against).toFixed(2)} of before`,
  )
}
