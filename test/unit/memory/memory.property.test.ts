import fc from 'fast-check'
import { expect, test } from 'vitest'
import { range, rangeAt, type Range } from '../../../src/bytes/range.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { phys } from '../../../src/bytes/units.ts'
import { isWrite, type Deviation, type Ranges } from '../../../src/memory/event.ts'
import { GARBAGE, ZERO, type Content, type Extent } from '../../../src/memory/extent.ts'
import { Memory, type Part } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { tries } from '../../support/depth.ts'

/** Addresses of the little machine: RAM is made in it, and holes stay. */
const SPACE = 48
const FILE = Uint8Array.from({ length: 3 * SPACE }, (_, i) => (i * 37 + 11) & 0xff)
const OBJECTS = ['kernel', 'initrd', 'cmdline'] as const

interface Cell {
  ram: boolean
  /** null: not modelled */
  byte: number | null
  object: string | null
  at: number
  written: boolean
  by: number
  claim: string | null
}

type Op =
  | { readonly op: 'ram'; readonly where: Range; readonly fill: number | null }
  | { readonly op: 'claim'; readonly where: Range; readonly label: string; readonly fill: number | null }
  | {
      readonly op: 'release'
      readonly ranges: Ranges
      readonly label: string
      readonly fill: number | null
    }
  | { readonly op: 'occupy'; readonly ranges: Ranges; readonly object: string }
  | { readonly op: 'amend'; readonly ranges: Ranges; readonly byte: number }
  | {
      readonly op: 'put'
      readonly where: Range
      readonly object: string
      readonly at: number
      readonly file: number
    }
  | {
      readonly op: 'patch'
      readonly where: Range
      readonly object: string
      readonly at: number
      readonly bytes: Uint8Array
    }
  | { readonly op: 'make'; readonly where: Range; readonly object: string; readonly at: number }
  | { readonly op: 'zero'; readonly where: Range; readonly object: string | null; readonly at: number }
  | { readonly op: 'copy'; readonly from: Range; readonly to: number }

const anyRange = fc
  .tuple(fc.nat(SPACE - 1), fc.integer({ min: 1, max: 20 }))
  .map(([start, length]) => range(start, Math.min(SPACE, start + length)))
/** A few ranges that ascend: the space cut at some places, every second part of it. */
const anyRanges = fc
  .uniqueArray(fc.nat(SPACE), { minLength: 2, maxLength: 8 })
  .map(cuts => cuts.sort((a, b) => a - b))
  .map(cuts =>
    cuts.flatMap((cut, i) => (i % 2 === 1 ? [range(cuts[i - 1] as number, cut)] : [])),
  ) as unknown as fc.Arbitrary<Ranges>
const anyObject = fc.constantFrom(...OBJECTS)
const anyOffset = fc.nat(24)
const anyFill = fc.option(fc.constantFrom(0, 0xaf), { nil: null })
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constant('ram' as const), where: anyRange, fill: anyFill }),
  fc.record({
    op: fc.constant('claim' as const),
    where: anyRange,
    label: fc.constantFrom('image', 'pool'),
    fill: anyFill,
  }),
  fc.record({
    op: fc.constant('release' as const),
    ranges: anyRanges,
    label: fc.constant('pool'),
    fill: anyFill,
  }),
  fc.record({
    op: fc.constant('put' as const),
    where: anyRange,
    object: anyObject,
    at: anyOffset,
    file: fc.nat(SPACE),
  }),
  anyRange.chain(where =>
    fc.record({
      op: fc.constant('patch' as const),
      where: fc.constant(where),
      object: anyObject,
      at: anyOffset,
      bytes: fc.uint8Array({ minLength: where.end - where.start, maxLength: where.end - where.start }),
    }),
  ),
  fc.record({
    op: fc.constant('occupy' as const),
    ranges: anyRanges,
    object: fc.constantFrom('firmware', 'kernel'),
  }),
  fc.record({ op: fc.constant('amend' as const), ranges: anyRanges, byte: fc.nat(255) }),
  fc.record({ op: fc.constant('make' as const), where: anyRange, object: anyObject, at: anyOffset }),
  fc.record({
    op: fc.constant('zero' as const),
    where: anyRange,
    object: fc.option(anyObject, { nil: null }),
    at: anyOffset,
  }),
  anyRange.chain(from =>
    fc.record({
      op: fc.constant('copy' as const),
      from: fc.constant(from),
      to: fc.nat(SPACE - (from.end - from.start)),
    }),
  ),
)

const addresses = (where: Range): number[] =>
  Array.from({ length: where.end - where.start }, (_, i) => where.start + i)
const spreadRanges = (ranges: readonly Range[]): number[] => ranges.flatMap(addresses)

function byteOf(op: Op, i: number): number | null {
  if (op.op === 'put') return FILE[op.file + i] ?? null
  if (op.op === 'patch') return op.bytes[i] ?? null
  return op.op === 'zero' ? 0 : null
}

/** The naive machine: one record per byte, every verb a loop. It answers with what the event should say. */
class Naive {
  readonly cells: Cell[] = Array.from({ length: SPACE }, () => ({
    ram: false,
    byte: null,
    object: null,
    at: 0,
    written: false,
    by: -1,
    claim: null,
  }))

  fork(): Naive {
    const twin = new Naive()
    this.cells.forEach((cell, at) => Object.assign(twin.cell(at), cell))
    return twin
  }

  cell(at: number): Cell {
    const cell = this.cells[at]
    if (cell === undefined) throw new Error(`no cell ${String(at)}`)
    return cell
  }

  apply(
    op: Op,
    by: number,
  ): {
    lost: [number, string, number][]
    unallocated: number[]
    outside: number[]
    fromOutside: number[]
  } | null {
    if (op.op === 'ram') {
      for (const at of addresses(op.where))
        Object.assign(this.cell(at), { ram: true, byte: op.fill, object: null, written: false, by })
      return null
    }
    if (op.op === 'claim' || op.op === 'release') {
      for (const at of op.op === 'claim' ? addresses(op.where) : spreadRanges(op.ranges)) {
        const cell = this.cell(at)
        cell.claim = op.op === 'claim' ? op.label : null
        if (cell.ram) Object.assign(cell, { object: null, written: false, by, byte: op.fill ?? cell.byte })
      }
      return null
    }
    const named = (): number[] => {
      if (op.op === 'copy') return addresses(rangeAt(op.to, op.from.end - op.from.start))
      return 'ranges' in op ? spreadRanges(op.ranges) : addresses(op.where)
    }
    const touched = named()
    const source = op.op === 'copy' ? addresses(op.from).map(at => ({ ...this.cell(at) })) : []
    const arriving = touched.map((at, i): Pick<Cell, 'byte' | 'object' | 'at' | 'written'> => {
      if (op.op === 'amend') return { ...this.cell(at), byte: op.byte }
      if (op.op === 'occupy') return { byte: null, object: op.object, at, written: true }
      if (op.op === 'copy') {
        const cell = source[i]
        return cell?.ram === true ? cell : { byte: null, object: null, at: 0, written: true }
      }
      return { byte: byteOf(op, i), object: op.object, at: op.object === null ? 0 : op.at + i, written: true }
    })
    const effect = {
      lost: [] as [number, string, number][],
      unallocated: [] as number[],
      outside: [] as number[],
      fromOutside: op.op === 'copy' ? addresses(op.from).filter(at => !this.cell(at).ram) : [],
    }
    touched.forEach((at, i) => {
      const cell = this.cell(at)
      const next = arriving[i]
      if (next === undefined) throw new Error('nothing arrives')
      if (op.op === 'occupy') cell.claim = op.object
      if (cell.claim === null) effect.unallocated.push(at)
      if (!cell.ram) {
        effect.outside.push(at)
        return
      }
      if (cell.object !== null && (cell.object !== next.object || cell.at !== next.at))
        effect.lost.push([at, cell.object, cell.at])
      const last = op.op === 'amend' ? cell.by : by
      Object.assign(cell, {
        byte: next.byte,
        object: next.object,
        at: next.at,
        written: next.written,
        by: last,
      })
    })
    return effect
  }

  /** Per byte: which object at which offset is wanted, given the parts of a composed one. */
  deviations(
    where: Range,
    object: string,
    at: number,
    parts: readonly Part[],
  ): [number, number, string, number | null][] {
    const wanted = parts.flatMap(part =>
      Array.from({ length: part.length }, (_, i) => ({ object: part.object, at: part.at + i })),
    )
    return addresses(where).flatMap((address, i): [number, number, string, number | null][] => {
      const cell = this.cell(address)
      const want = wanted[at + i] ?? { object, at: at + i }
      if (!cell.ram) return [[address, at + i, 'outside', null]]
      if (cell.object === want.object && cell.at === want.at) return []
      const unwritten = cell.claim === null ? 'unclaimed' : 'uninitialised'
      const kind = cell.object !== null || cell.written ? 'clobbered' : unwritten
      return [[address, at + i, kind, cell.by]]
    })
  }
}

const contentOf = (fill: number | null): Content => (fill === null ? GARBAGE : { kind: 'fill', byte: fill })
const file = bytesSource(FILE)

function applyReal(memory: Memory, op: Op): number {
  switch (op.op) {
    case 'ram':
      return memory.ram(op.where, contentOf(op.fill))
    case 'claim':
      return memory.claim(op.where, op.label, op.fill === null ? undefined : contentOf(op.fill))
    case 'release':
      return memory.release(op.ranges, op.label, op.fill === null ? undefined : contentOf(op.fill))
    case 'put':
      return memory.put(
        op.where.start,
        { source: file, at: op.file, length: op.where.end - op.where.start },
        op.object,
        op.at,
      )
    case 'patch':
      return memory.patch(op.where.start, op.bytes, op.object, op.at)
    case 'make':
      return memory.make(op.where, op.object, op.at)
    case 'zero':
      return memory.zero(op.where, op.object, op.at)
    case 'copy':
      return memory.copy(phys(op.to), op.from)
    case 'occupy':
      return memory.occupy(op.ranges, op.object)
    case 'amend':
      return memory.amend(
        op.ranges.map(({ start, end }) => ({
          at: start,
          bytes: new Uint8Array(end - start).fill(op.byte),
        })),
      )
  }
}

function spreadExtents(extents: Iterable<Extent>): [number, string | null, number, boolean, number][] {
  return [...extents].flatMap(extent =>
    addresses(extent.range).map((at, i): [number, string | null, number, boolean, number] => [
      at,
      extent.whose?.object ?? null,
      extent.whose === null ? 0 : extent.whose.at + i,
      extent.written,
      extent.by,
    ]),
  )
}

function spreadDeviations(deviations: readonly Deviation[]): [number, number, string, number | null][] {
  return deviations.flatMap(({ range: where, at, kind, found }) => {
    if (found !== null) expect(found.range).toEqual(where)
    return addresses(where).map((address, i): [number, number, string, number | null] => [
      address,
      at + i,
      kind,
      found?.by ?? null,
    ])
  })
}

/** A memory, and the naive machine to which the same was done. */
interface Both {
  readonly memory: Memory
  readonly recorder: Recorder
  readonly naive: Naive
}

function empty(): Both {
  const recorder = new Recorder()
  return { memory: new Memory(recorder), recorder, naive: new Naive() }
}

/** Does the same to both; what the event says is what the naive machine answers. */
function perform({ memory, recorder, naive }: Both, op: Op): void {
  const by = applyReal(memory, op)
  const effect = naive.apply(op, by)
  const event = recorder.events[by]
  expect(event).toMatchObject({ id: by, op: op.op })
  if (effect === null) return
  if (event === undefined || !isWrite(event)) throw new Error('no write was recorded')
  expect(
    event.lost.flatMap(({ range: where, whose }) =>
      addresses(where).map((at, i) => [at, whose?.object, (whose?.at ?? 0) + i]),
    ),
  ).toEqual(effect.lost)
  expect(spreadRanges(event.unallocated)).toEqual(effect.unallocated)
  expect(spreadRanges(event.outside)).toEqual(effect.outside)
  if (event.op === 'copy') expect(spreadRanges(event.fromOutside)).toEqual(effect.fromOutside)
}

function play(ops: readonly Op[]): Both {
  const both = empty()
  for (const op of ops) perform(both, op)
  return both
}

const someRam: Op[] = [
  { op: 'ram', where: range(2, SPACE - 6), fill: 0 },
  { op: 'claim', where: range(4, SPACE - 12), label: 'image', fill: null },
]
const anyStory = fc.array(anyOp, { maxLength: 24 }).map(ops => [...someRam, ...ops])

/** Both hold the same bytes, owners, offsets, writers and claims. */
function expectAlike({ memory, naive }: Both): void {
  expect(spreadExtents(memory.extents())).toEqual(
    naive.cells.flatMap((cell, at) =>
      cell.ram ? [[at, cell.object, cell.object === null ? 0 : cell.at, cell.written, cell.by]] : [],
    ),
  )
  const claims = Array.from({ length: SPACE }, (): string | null => null)
  for (const { range: where, label } of memory.claims()) claims.fill(label, where.start, where.end)
  expect(claims).toEqual(naive.cells.map(cell => cell.claim))
  expect([...memory.readRaw(range(0, SPACE))]).toEqual(
    naive.cells.map(cell => (cell.ram ? (cell.byte ?? 0) : 0)),
  )
  for (let at = 0; at < SPACE; at++) {
    const cell = naive.cell(at)
    expect(memory.peek(rangeAt(at, 1)).known).toBe(cell.ram && cell.byte !== null)
  }
}

test('any story leaves the bytes, owners, offsets, writers and claims of a byte-by-byte machine', () => {
  fc.assert(
    fc.property(anyStory, ops => {
      expectAlike(play(ops))
    }),
    tries(150, 400),
  )
})

test('forks, forks of forks and what they were forked from never see what is done to one another', () => {
  const anyTurn = fc.record({ which: fc.nat(), op: fc.option(anyOp, { freq: 4 }) })
  fc.assert(
    fc.property(anyStory, fc.array(anyTurn, { maxLength: 40 }), (ops, turns) => {
      const line = [play(ops)]
      const lengths = new Map([[0, new Map<string, number | undefined>()]])
      for (const { which, op } of turns) {
        const index = which % line.length
        const both = line[index] as Both
        if (op !== null) {
          perform(both, op)
          both.memory.declare('declared', which)
          lengths.get(index)?.set('declared', which)
          continue
        }
        const { length } = both.recorder.events
        const recorder = both.recorder.fork()
        const twin = { memory: both.memory.fork(recorder), recorder, naive: both.naive.fork() }
        lengths.set(line.length, new Map(lengths.get(index)))
        line.push(twin)
        expect(recorder.events).toHaveLength(length)
        recorder.events.forEach((event, id) => {
          expect(event).toBe(both.recorder.events[id])
        })
      }
      line.forEach((both, index) => {
        expectAlike(both)
        expect(both.recorder.events.map(({ id }) => id)).toEqual(both.recorder.events.map((_, i) => i))
        expect(both.memory.lengthOf('declared')).toBe(lengths.get(index)?.get('declared'))
      })
    }),
    tries(100, 300),
  )
})

test('any read as an object deviates exactly where a byte-by-byte comparison does, composed or not', () => {
  const anyParts = fc.array(
    fc.record({ object: anyObject, at: anyOffset, length: fc.integer({ min: 1, max: 12 }) }),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(
      anyStory,
      anyRange,
      fc.constantFrom(...OBJECTS, 'whole'),
      anyOffset,
      anyParts,
      (ops, where, object, at, parts) => {
        const { memory, naive, recorder } = play(ops)
        memory.compose('whole', parts)
        const reading = memory.readAs(where, object, { at })
        const expected = naive.deviations(where, object, at, object === 'whole' ? parts : [])
        expect(spreadDeviations(reading.deviations)).toEqual(expected)
        expect(reading.whole).toBe(expected.length === 0)
        expect(recorder.events[reading.event]).toMatchObject({
          op: 'read',
          range: where,
          object,
          at,
          as: 'data',
          deviations: reading.deviations,
          missing: 0,
        })
      },
    ),
    tries(150, 400),
  )
})

test('a composed object that lies whole in memory reads whole, in any cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyObject, anyOffset, fc.integer({ min: 1, max: 9 })), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.nat(),
      fc.nat(),
      (pieces, a, b) => {
        const memory = new Memory(new Recorder())
        memory.ram(range(0, 64), ZERO)
        let at = 0
        for (const [object, offset, length] of pieces) {
          memory.put(phys(at), { source: file, at: 0, length }, object, offset)
          at += length
        }
        memory.compose(
          'whole',
          pieces.map(([object, offset, length]) => ({ object, at: offset, length })),
        )
        expect(memory.lengthOf('whole')).toBe(at)
        expect(memory.partsOf('whole')).toHaveLength(pieces.length)
        const from = a % at
        const length = 1 + (b % (at - from))
        expect(memory.readAs(rangeAt(from, length), 'whole', { at: from })).toMatchObject({
          whole: true,
          deviations: [],
        })
        expect(memory.readAs(rangeAt(0, at), 'whole', { all: true }).whole).toBe(true)
      },
    ),
  )
})

test('a reader that takes less than the whole object for all of it is told how much is missing', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (length, taken, all) => {
        const recorder = new Recorder()
        const memory = new Memory(recorder)
        memory.ram(range(0, 100), ZERO)
        memory.put(phys(0), { source: file, at: 0, length }, 'initrd')
        expect(memory.lengthOf('initrd')).toBe(length)
        const { event, whole } = memory.readAs(rangeAt(0, Math.min(taken, length)), 'initrd', {
          all,
          as: 'code',
        })
        const missing = all ? Math.max(0, length - taken) : 0
        expect(recorder.events[event]).toMatchObject({ missing, as: 'code' })
        expect(whole).toBe(missing === 0)
        memory.declare('initrd', length + 8)
        expect(
          recorder.events[memory.readAs(rangeAt(0, length), 'initrd', { all: true }).event],
        ).toMatchObject({ missing: 8 })
      },
    ),
  )
  expect(new Memory(new Recorder()).lengthOf('nobody')).toBeUndefined()
})

test('occupants are the owned extents that the caller does not except', () => {
  fc.assert(
    fc.property(anyStory, anyRange, anyObject, (ops, where, own) => {
      const { memory, naive } = play(ops)
      const expected = addresses(where).filter(at => {
        const cell = naive.cell(at)
        return cell.ram && cell.object !== null && cell.object !== own
      })
      expect(
        spreadRanges(memory.occupants(where, object => object === own).map(extent => extent.range)),
      ).toEqual(expected)
    }),
  )
})

test('a patch keeps the bytes it was given, whatever the caller does to them later', () => {
  const memory = new Memory(new Recorder())
  memory.ram(range(0, 16), ZERO)
  const bytes = Uint8Array.of(1, 2, 3)
  memory.patch(phys(4), bytes, 'boot_params')
  bytes.fill(9)
  expect([...memory.readRaw(range(4, 7))]).toEqual([1, 2, 3])
})

test('nobody loads a payload through a raw read', () => {
  const memory = new Memory(new Recorder())
  expect(() => memory.readRaw(range(0, 2 ** 24 + 1))).toThrow('raw read of 16777217 bytes')
})

test('the words of a step are made when they are read, once, and are part of its JSON', () => {
  const recorder = new Recorder()
  let made = 0
  recorder.step(
    'ST-1',
    () => `made ${String(++made)} times`,
    () => undefined,
  )
  expect(made).toBe(0)
  const [step] = recorder.fork().steps
  expect([step?.what, recorder.steps[0]?.what]).toEqual(['made 1 times', 'made 1 times'])
  expect(JSON.parse(JSON.stringify(recorder.steps))).toEqual([
    { id: 0, parent: null, clause: 'ST-1', what: 'made 1 times', actor: 'firmware', first: 0, end: 0 },
  ])
})

test('a recording is forked between steps only: an open one would belong to both', () => {
  const recorder = new Recorder()
  expect(() => recorder.step('ST-1', 'open', () => recorder.fork())).toThrow('forked under step 0')
  expect(recorder.fork().steps).toEqual(recorder.steps)
})

test('events carry the actor and the innermost step, also when a step ends in an exception', () => {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 16), ZERO)
  expect(() =>
    recorder.as('stub', () =>
      recorder.step('ST-1', 'outer', () => {
        memory.zero(range(0, 1), null)
        recorder.step('ST-2', 'inner', () => memory.zero(range(1, 2), null))
        expect(recorder.current?.clause).toBe('ST-1')
        throw new Error('stop')
      }),
    ),
  ).toThrow('stop')
  memory.zero(range(2, 3), null)
  expect(recorder.actor).toBe('firmware')
  expect(recorder.current).toBeNull()
  expect(recorder.events.map(({ actor, step }) => [actor, step])).toEqual([
    ['firmware', null],
    ['stub', 0],
    ['stub', 1],
    ['firmware', null],
  ])
  expect(recorder.steps).toMatchObject([
    { id: 0, parent: null, clause: 'ST-1', first: 1, end: 3 },
    { id: 1, parent: 0, clause: 'ST-2', first: 2, end: 3 },
  ])
})
