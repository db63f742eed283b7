// What boots cost now against what they cost at another commit, in turns in one process: `npm run bench`. An
// argument names the other one: a commit, a checkout that is built, or a dist/. Default: the commit before
// boots were prepared. The whole thing costs two minutes of a quiet core.
import { join } from 'node:path'
import { distOf, held, inTurns, load } from './against.mjs'

const BEFORE = '021a368'
const TOP = join(import.meta.dirname, '../..')
const place = process.argv[2] ?? BEFORE

const other = distOf(place)
const [then, now] = [await load(other.dist), await load(join(TOP, 'dist'))]
other.done()

const oneScenario = lib => lib.scenario({ image: { initrd: '20M' } })

/** The same scenario again: what its builder promises to leave alone is known. */
const again = lib => {
  const input = oneScenario(lib)
  return () => lib.check(input).runs.length
}
/** An image and a machine that nobody has seen before. */
const unseen = lib => {
  const { image, machine } = oneScenario(lib)
  const { source } = image
  const fresh = () => ({ size: source.size, read: (at, length) => source.read(at, length) })
  return () =>
    lib.check({
      image: { ...image, source: fresh() },
      machine: { ...machine, map: [...machine.map] },
    }).runs.length
}
/** Every stub with every kernel in one image, through `check`. */
const matrix = lib => {
  const { image, machine } = oneScenario(lib)
  const pairs = Object.keys(lib.stubEras).flatMap(stub =>
    lib.kernelEras.map(({ id }) => ({ image, machine, stub, kernel: id })),
  )
  return () => {
    for (const pair of pairs) lib.check(pair)
    return pairs.length
  }
}
/** The same by forks: the image is loaded once, each stub runs once. */
const forked = lib => {
  const { image, machine } = oneScenario(lib)
  const kernels = lib.kernelEras.map(era => lib.kernelModel(era, null))
  return () => {
    const entry = lib.prepareMachine({ ...machine }).load(lib.prepareImage(image.source))
    let boots = 0
    for (const era of Object.values(lib.stubEras)) {
      const handedOver = entry.boot(lib.stubModel(era))
      for (const kernel of kernels) {
        lib.judge(handedOver.start(kernel).recording)
        boots++
      }
    }
    return boots
  }
}
/** A map of many lines, as `unseen`. */
const lines = (lib, count) => {
  const step = 0x8000
  const low = 0x1000000
  const rows = Array.from({ length: count }, (_, i) => [
    i % 2 === 0 ? 'EfiConventionalMemory' : 'EfiBootServicesData',
    low + i * step,
    low + (i + 1) * step,
  ])
  const top = ['EfiConventionalMemory', low + count * step, low + count * step + 512 * 2 ** 20]
  const { image } = oneScenario(lib)
  const { machine } = lib.scenario({ image: image.source, map: lib.memoryMap(...rows, top) })
  return () => lib.check({ image, machine: { ...machine, map: [...machine.map] } }).runs.length
}
/** A fork of a machine whose map has 250 lines. */
const fork = lib => {
  const rows = Array.from({ length: 250 }, (_, i) => [
    i % 2 === 0 ? 'EfiConventionalMemory' : 'EfiBootServicesData',
    0x1000000 + i * 0x8000,
    0x1000000 + (i + 1) * 0x8000,
  ])
  const machine = lib.prepareMachine(
    lib.scenario({ image: oneScenario(lib).image.source, map: lib.memoryMap(...rows) }).machine,
  )
  return () => {
    for (let i = 0; i < 100; i++) machine.fork()
    return 100
  }
}

const bodies = {
  matrixThen: matrix(then),
  matrixNow: matrix(now),
  forkedNow: forked(now),
  againThen: again(then),
  againNow: again(now),
  unseenThen: unseen(then),
  unseenNow: unseen(now),
  fewThen: lines(then, 100),
  fewNow: lines(now, 100),
  manyThen: lines(then, 4000),
  manyNow: lines(now, 4000),
  forkNow: fork(now),
}
const costs = inTurns(Object.values(bodies))
const ms = Object.fromEntries(Object.keys(bodies).map((name, i) => [name, costs[i]]))
const input = { then: oneScenario(then), now: oneScenario(now) }
const prepared = now.prepareMachine(input.now.machine).load(now.prepareImage(input.now.image.source))
const handedOver = prepared.boot(now.stubModel(Object.values(now.stubEras).at(-1)))
const kernels = now.kernelEras.map(era => now.kernelModel(era, null))
const bytes = {
  then: held(() => then.check(input.then).runs),
  now: held(() => now.check(input.now).runs),
  forked: held(() => kernels.map(kernel => handedOver.start(kernel)), 4),
}

const cell = n => n.toFixed(n < 10 ? 3 : 1).padStart(9)
const row = (what, before, after, unit, wanted) =>
  console.log(
    `${what.padEnd(52)}${cell(before)}${cell(after)} ` +
      `${unit.padEnd(4)}${(before / after).toFixed(1).padStart(6)} x   ${wanted}`,
  )
console.log(
  `boots now against ${place}, Node ${process.versions.node}: CPU, the best of some rounds in turns`,
)
console.log(`${''.padEnd(52)}${'then'.padStart(9)}${'now'.padStart(9)}         ratio  wanted`)
row('one boot of all stubs x all kernels, forked', ms.matrixThen, ms.forkedNow, 'ms', '10 x')
row('the same through check', ms.matrixThen, ms.matrixNow, 'ms', '')
row('a check of one scenario, again', ms.againThen, ms.againNow, 'ms', '4 x')
row('a check of a file and a map not seen before', ms.unseenThen, ms.unseenNow, 'ms', '')
row('a check over a map of 4000 lines', ms.manyThen, ms.manyNow, 'ms', '')
row('memory held for each of many forked boots', bytes.then / 1024, bytes.forked / 1024, 'KiB', '2 x')
row('memory held for each check', bytes.then / 1024, bytes.now / 1024, 'KiB', '')
const own = (what, value, unit, wanted) =>
  console.log(`${what.padEnd(61)}${cell(value)} ${unit.padEnd(14)}${wanted}`)
own('a map of 4000 lines against one of 100', ms.manyNow / ms.fewNow, 'x', '4 at the most')
own('(at that commit)', ms.manyThen / ms.fewThen, 'x', '')
own('a fork of a machine with 250 ranges', 1000 * ms.forkNow, 'µs', '20 at the most')
