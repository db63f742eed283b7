// Speed of whole boots and of a memory with many extents, as ratios within one run: `npm run bench`. Numbers
// depend on the machine, ratios hardly do.
import {
  bytesSource,
  check,
  kernelEras,
  Memory,
  phys,
  range,
  rangeAt,
  Recorder,
  stubEras,
} from '../../dist/index.js'
import { memoryMap, scenario, uki } from '../../dist/vitest/index.js'

/** Content of memory that holds zeros. */
const ZERO = { kind: 'fill', byte: 0 }

/** CPU milliseconds per call, the best of some rounds. */
function cost(body, rounds = 5, milliseconds = 200) {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    let calls = 0
    let spent = 0
    do {
      body()
      calls++
      const { user, system } = process.cpuUsage(before)
      spent = (user + system) / 1000
    } while (spent < milliseconds)
    best = Math.min(best, spent / calls)
  }
  return best
}

const row = (name, ms, base) =>
  console.log(
    `${name.padEnd(58)} ${ms.toFixed(3).padStart(9)} ms ` +
      `${(1000 / ms).toFixed(0).padStart(8)}/s ` +
      `${base === undefined ? '' : `  x ${(ms / base).toFixed(2)}`}`,
  )

/** Calls before the clock runs, so that no row pays for compiling what all rows use. */
const WARM_UP = 100

const boot = options => {
  const input = scenario(options)
  for (let i = 0; i < WARM_UP; i++) check(input)
  return cost(() => check(input))
}

console.log('whole boots: firmware, stub, kernel, rules, report model')
const base = boot({ image: uki({ initrd: '20M' }) })
row('stub 257.13, kernel 6.12, initrd 20 MiB, 512 MiB RAM', base)
row(
  'stub 247.3, kernel 5.10',
  boot({ image: uki({ stub: '247.3', kernel: '5.10.223-cloud', at: 'dracut', gap: '16M' }) }),
  base,
)
row('stub 247.3, kernel 6.12: with damage', boot({ image: uki({ stub: '247.3' }) }), base)

console.log('\nthe same boot of files of two sizes, 8 GiB RAM')
const light = boot({ image: uki({ initrd: '9M' }), ram: '8G' })
row('a file of 20 MiB', light)
row('a file of 2 GiB', boot({ image: uki({ initrd: '2037M' }), ram: '8G' }), light)

const scenarios = Object.keys(stubEras).flatMap(stub =>
  kernelEras.map(({ id }) => scenario({ image: uki(), stub, kernel: id })),
)
const matrix = cost(() => {
  for (const one of scenarios) check(one)
}, 3)
console.log(
  `\na matrix of ${String(Object.keys(stubEras).length)} stubs and ${String(kernelEras.length)} kernels`,
)
row(`${String(scenarios.length)} boots`, matrix)
row('one of them, against a boot alone', matrix / scenarios.length, base)

const lines = count => {
  const step = 0x8000
  const holes = Array.from({ length: count }, (_, i) => [
    i % 2 === 0 ? 'EfiConventionalMemory' : 'EfiBootServicesData',
    0x1000000 + i * step,
    0x1000000 + (i + 1) * step,
  ])
  return memoryMap(...holes, [
    'EfiConventionalMemory',
    0x1000000 + count * step,
    0x1000000 + count * step + 512 * 2 ** 20,
  ])
}
console.log('\nthe same boot over memory maps of many lines')
const few = boot({ image: uki({ initrd: '20M' }), map: lines(100) })
row('100 lines', few)
row('1000 lines', boot({ image: uki({ initrd: '20M' }), map: lines(1000) }), few)
row('4000 lines', boot({ image: uki({ initrd: '20M' }), map: lines(4000) }), few)

console.log('\nmemory: one put and one read among n extents')
const source = bytesSource(new Uint8Array(16))
const among = count => {
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 2 ** 32), ZERO)
  for (let i = 0; i < count; i++)
    memory.put(phys(0x1000 + i * 64), { source, at: 0, length: 16 }, `object${i % 7}`)
  let at = 0
  return cost(
    () => {
      at = (at + 7919) % count
      memory.put(phys(0x1000 + at * 64), { source, at: 0, length: 16 }, 'kernel')
      memory.readAs(rangeAt(0x1000 + at * 64, 16), 'kernel')
    },
    3,
    100,
  )
}
const small = among(100)
row('100 extents', small)
row('10000 extents', among(10_000), small)
row('100000 extents', among(100_000), small)
