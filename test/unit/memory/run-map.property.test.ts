import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { ModelBug } from '../../../src/bytes/errors.ts'
import { RunMap } from '../../../src/memory/run-map.ts'
import { depth, tries } from '../../support/depth.ts'

/** The same map as a plain array: one value per address. */
type Plain = (number | undefined)[]

type Op = { readonly kind: 'assign' | 'clear'; readonly start: number; readonly length: number }

const op = (space: number, longest: number): fc.Arbitrary<Op> =>
  fc.record({
    kind: fc.constantFrom('assign', 'assign', 'assign', 'clear'),
    start: fc.nat(space - 1),
    length: fc.integer({ min: 1, max: longest }),
  })

function play(ops: readonly Op[], space: number): { map: RunMap<number>; plain: Plain } {
  const map = new RunMap<number>()
  const plain: Plain = Array.from({ length: space }, () => undefined)
  ops.forEach(({ kind, start, length }, value) => {
    const end = Math.min(space, start + length)
    if (kind === 'assign') map.assign(start, end, value)
    else map.clear(start, end)
    plain.fill(kind === 'assign' ? value : undefined, start, end)
  })
  return { map, plain }
}

function spread(map: RunMap<number>, space: number, start = 0, end = space): Plain {
  const out: Plain = Array.from({ length: space }, () => undefined)
  let last = start
  for (const run of map.runs(start, end)) {
    expect(run.start).toBeGreaterThanOrEqual(last)
    expect(run.end).toBeGreaterThan(run.start)
    expect(run.end).toBeLessThanOrEqual(end)
    out.fill(run.value, run.start, run.end)
    last = run.end
  }
  return out
}

test('holds what a plain array holds, whole and in any window', () => {
  const space = 64
  fc.assert(
    fc.property(
      fc.array(op(space, 20), { maxLength: 40 }),
      fc.nat(space - 1),
      fc.integer({ min: 1, max: space }),
      (ops, from, length) => {
        const { map, plain } = play(ops, space)
        expect(spread(map, space)).toEqual(plain)
        const to = Math.min(space, from + length)
        expect(spread(map, space, from, to)).toEqual(
          plain.map((value, at) => (at >= from && at < to ? value : undefined)),
        )
        for (let at = 0; at < space; at++) expect(map.at(at)?.value).toBe(plain[at])
      },
    ),
    tries(100, 300),
  )
})

test('stays equal to a plain array with thousands of runs, while buckets split, empty and go away', () => {
  const space = 20_000
  fc.assert(
    fc.property(
      fc.array(op(space, 6), { minLength: 3000, maxLength: 3000, size: 'max' }),
      fc.array(op(space, 5000), { minLength: 1, maxLength: 6 }),
      (many, wide) => {
        expect(play(many, space).map.size).toBeGreaterThan(1000)
        const { map, plain } = play([...many, ...wide, ...many.slice(0, 500)], space)
        expect(spread(map, space)).toEqual(plain)
        for (let at = 0; at < space; at += 7) expect(map.at(at)?.value).toBe(plain[at])
      },
    ),
    tries(3, 8),
  )
})

test('maps of thousands of runs that were forked one from the other keep apart, whatever is written', () => {
  const space = 6000
  const turn = fc.record({ which: fc.nat(), ops: fc.array(op(space, 900), { minLength: 1, maxLength: 5 }) })
  fc.assert(
    fc.property(
      fc.array(op(space, 6), { minLength: 1200, maxLength: 1200, size: 'max' }),
      fc.array(turn, { minLength: 5, maxLength: 20 }),
      (many, turns) => {
        const line = [play(many, space)]
        let value = many.length
        for (const { which, ops } of turns) {
          const parent = line[which % line.length] as { map: RunMap<number>; plain: Plain }
          const twin = { map: parent.map.fork(), plain: [...parent.plain] }
          line.push(twin)
          for (const { kind, start, length } of ops) {
            const to = [parent, twin][value % 2] as typeof twin
            const end = Math.min(space, start + length)
            if (kind === 'assign') to.map.assign(start, end, value)
            else to.map.clear(start, end)
            to.plain.fill(kind === 'assign' ? value : undefined, start, end)
            value++
          }
        }
        for (const { map, plain } of line) expect(spread(map, space)).toEqual(plain)
      },
    ),
    tries(3, 8),
  )
})

test('many ranges at once change what they would change one by one, and no map forked before', () => {
  const space = 3000
  /** Ranges that ascend: pairs of a gap and a length. */
  const ranges = fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 120,
  })
  const turn = fc.record({ kind: fc.constantFrom('assignAll', 'rewrite'), from: fc.nat(space), ranges })
  fc.assert(
    fc.property(
      fc.array(op(space, 60), { maxLength: 300, size: 'max' }),
      fc.array(turn, { minLength: 1, maxLength: 6 }),
      (ops, turns) => {
        const { map, plain } = play(ops, space)
        const before = { map: map.fork(), plain: [...plain] }
        turns.forEach(({ kind, from, ranges: steps }, i) => {
          let end = from
          const where = steps.flatMap(([gap, length]) => {
            const start = end + gap
            end = start + length
            return end <= space ? [{ start, end }] : []
          })
          const change = (value: number) => (value % 3 === 0 ? null : value + 1000)
          if (kind === 'assignAll') map.assignAll(where, -i)
          else map.rewrite(where, change)
          for (const one of where)
            for (let at = one.start; at < one.end; at++) {
              const value = plain[at]
              if (kind === 'assignAll') plain[at] = -i
              else if (value !== undefined) plain[at] = change(value) ?? undefined
            }
        })
        expect(spread(map, space)).toEqual(plain)
        expect(spread(before.map, space)).toEqual(before.plain)
      },
    ),
    tries(40, 100),
  )
})

test('clearing every run leaves an empty map that can be filled again', () => {
  const map = new RunMap<number>()
  for (let at = 0; at < 4000; at += 2) map.assign(at, at + 1, at)
  expect(map.size).toBe(2000)
  map.clear(0, 4000)
  expect(map.size).toBe(0)
  expect([...map.runs()]).toEqual([])
  map.assign(10, 20, 1)
  expect([...map.runs()]).toEqual([{ start: 10, end: 20, value: 1 }])
})

test('an empty run is a mistake of ours', () => {
  const map = new RunMap<number>()
  expect(() => {
    map.assign(5, 5, 0)
  }).toThrow(ModelBug)
  expect(() => {
    map.clear(6, 5)
  }).toThrow(ModelBug)
})

/**
 * Elements that array splices moved, and steps of the search over the buckets: the work of a map, counted and
 * not timed.
 */
function countWork(body: () => void): { moved: number; longest: number; searched: number } {
  const work = { moved: 0, longest: 0, searched: 0 }
  const { splice, at } = Array.prototype
  const splices = vi.spyOn(Array.prototype, 'splice').mockImplementation(function (
    this: unknown[],
    ...args: unknown[]
  ): unknown[] {
    const moved = this.length - (args[0] as number)
    work.moved += moved
    work.longest = Math.max(work.longest, moved)
    return Reflect.apply(splice, this, args) as unknown[]
  })
  const steps = vi.spyOn(Array.prototype, 'at').mockImplementation(function (
    this: unknown[],
    index: number,
  ): unknown {
    work.searched++
    return Reflect.apply(at, this, [index])
  })
  try {
    body()
  } finally {
    splices.mockRestore()
    steps.mockRestore()
  }
  return work
}

for (const [name, write] of [
  [
    'assigns',
    (map: RunMap<number>, at: number) => {
      map.assign(at, at + 1, at)
    },
  ],
  [
    'clears',
    (map: RunMap<number>, at: number) => {
      map.clear(at, at + 1)
    },
  ],
] as const) {
  test(`${name} into a map of thousands of runs move a bounded number of entries, search few buckets`, () => {
    const runs = depth(10_000, 30_000)
    const map = new RunMap<number>()
    map.assign(0, 4 * runs, -1)
    let at = 1
    const work = countWork(() => {
      for (let i = 0; i < runs; i++) {
        at = (at + 2 * 7919) % (4 * runs)
        write(map, at)
      }
    })
    expect(map.size).toBeGreaterThanOrEqual(runs)
    expect(work.longest).toBeLessThanOrEqual(1024)
    expect(work.moved / runs).toBeLessThan(600)
    expect(work.searched / runs).toBeLessThan(4 * Math.log2(runs))
  })
}
