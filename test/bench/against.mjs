// Two builds side by side in one process, in turns: what a boot costs now, as a ratio of what it cost then.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const TOP = join(dirname(fileURLToPath(import.meta.url)), '../..')
/** Boots of each row before the clock runs: until then much of the code is not compiled. */
const WARM_UP_MS = 1000
const ROUNDS = 6

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** CPU milliseconds of this process. */
function spent() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * The least cost of each body per call, in turns, so that what else the machine does hits all of them alike.
 * A body answers how many boots it did.
 */
export function inTurns(bodies, rounds = ROUNDS, milliseconds = 300) {
  for (const body of bodies) {
    const end = spent() + WARM_UP_MS
    do body()
    while (spent() < end)
  }
  const best = bodies.map(() => Infinity)
  for (let round = 0; round < rounds; round++)
    bodies.forEach((body, i) => {
      const before = spent()
      let boots = 0
      do boots += body()
      while (spent() - before < milliseconds)
      best[i] = Math.min(best[i], (spent() - before) / boots)
    })
  return best
}

/** Bytes of heap for each run of `count` lists of runs that `make` makes and somebody holds. */
export function held(make, count = 60) {
  const kept = []
  for (let i = 0; i < 20; i++) make()
  collect()
  const before = process.memoryUsage().heapUsed
  let boots = 0
  for (let i = 0; i < count; i++) {
    const one = make()
    boots += one.length
    kept.push(one)
  }
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / boots
  return kept.length === count ? bytes : NaN
}

/** What the rows need of a build: one that has a file per module, or one that is a few bundles. */
export async function load(dist) {
  const from = file => import(pathToFileURL(join(dist, file)).href)
  if (!existsSync(join(dist, 'check.js')))
    return { ...(await from('index.js')), ...(await from('vitest/index.js')) }
  // The door for vitest asks for vitest there, which nothing here needs
  const files = ['index.js', 'vitest/builders.js', 'vitest/scenario.js']
  return Object.assign({}, ...(await Promise.all(files.map(from))))
}

/** The dist/ of a checkout; of a commit, which is built into a temporary folder that `done` removes. */
export function distOf(place) {
  if (existsSync(join(place, 'dist'))) return { dist: resolve(place, 'dist'), done: () => undefined }
  if (existsSync(join(place, 'index.js'))) return { dist: resolve(place), done: () => undefined }
  const folder = mkdtempSync(join(tmpdir(), 'stubsim-bench-'))
  const git = (...args) => execFileSync('git', args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
  git('clone', '--quiet', '--shared', '--no-checkout', TOP, '.')
  git('checkout', '--quiet', '--detach', place)
  symlinkSync(join(TOP, 'node_modules'), join(folder, 'node_modules'))
  const done = () => {
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    execFileSync(process.execPath, ['.ci/build.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  } catch (error) {
    done()
    throw error
  }
  return { dist: join(folder, 'dist'), done }
}
