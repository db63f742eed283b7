import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE, phys } from '../../../src/bytes/units.ts'
import type { AllocatorId } from '../../../src/firmware/allocators.ts'
import type { PoolState } from '../../../src/firmware/edk2/pool-state.ts'
import { Edk2Pool } from '../../../src/firmware/edk2/pool.ts'
import { edk2Behaviour } from '../../../src/firmware/edk2/behaviour.ts'
import type { PoolPages } from '../../../src/firmware/pool.ts'
import { MIB } from '../../support/bytes.ts'
import { goodPe } from '../../unit/firmware/loader-bench.ts'
import { SMALL_MAP, smallMachine } from '../../unit/firmware/small-machine.ts'
import { smallPe } from '../../unit/firmware/small-pe.ts'

/** A pool whose pages come from 0x100000 downwards. */
function poolOverPages(): { pool: Edk2Pool; freed: number[] } {
  const freed: number[] = []
  let next = 0x100000
  const pages: PoolPages = {
    allocate: (_, count) => ({
      status: 'EFI_SUCCESS',
      at: phys((next -= count * PAGE)),
      clause: 'FW-5',
    }),
    free: where => {
      freed.push(where.start)
    },
  }
  const pool = new Edk2Pool(pages, edk2Behaviour('2022.11'))
  return { pool, freed }
}

test('FW-16 puts 24 bytes before and 16 after a pool buffer; large blocks get pages of their own', () => {
  const { firmware } = smallMachine()
  const pool = (size: number) => firmware.allocatePool(2, size, 'mine').at
  const HEAD = 24
  /** The buffer in pages that so many pages lie below the top of memory. */
  const below = (pages: number) => 0x1000000 - pages * PAGE + HEAD
  // Each takes its pages below those of the one before: with its head and its tail 0x301, 2, 3 and 1
  expect(pool(3 * MIB)).toBe(below(0x301))
  expect(pool(2 * PAGE - 40)).toBe(below(0x303))
  expect(pool(2 * PAGE - 39)).toBe(below(0x306))
  expect(pool(2649)).toBe(below(0x307))
  // Blocks of 2688, 1024 and 128 bytes are carved from one page
  expect(pool(2648)).toBe(below(0x308))
  expect(pool(984)).toBe(below(0x308) + 2688)
  expect(pool(0)).toBe(below(0x308) + 2688 + 1024)
})

test('FW-17 carves small blocks from the head of a page, the rest into the largest blocks that fit', () => {
  const { pool } = poolOverPages()
  const offset = (size: number) => (pool.allocate(2, size).buffer?.start ?? 0) - 0xff000 - 0x18
  expect(offset(88)).toBe(0)
  expect(offset(2648)).toBe(128)
  expect(offset(984)).toBe(128 + 2688)
  expect(offset(216)).toBe(128 + 2688 + 1024)
  expect(offset(1)).toBe(-0x1000)
  expect([pool.allocate(4, 1), pool.allocate(4, 1), pool.allocate(4, 4096)]).toMatchObject([
    { guessed: true },
    { guessed: false },
    { guessed: false },
  ])
  const other = poolOverPages().pool
  const first = other.allocate(2, 1624).buffer?.start ?? 0
  expect(first).toBe(0xff018)
  expect(other.allocate(2, 600).buffer?.start).toBe(0xff018 + 1664 + 1664)
  expect(other.allocate(2, 600).buffer?.start).toBe(0xff018 + 1664)
  expect(other.allocate(2, 984).buffer?.start).toBe(0xff018 + 1664 + 640)
  expect(other.allocate(4, 600).buffer?.start).toBe(0xfe018)
})

test('FW-18 hands out the block that was freed last, and returns a page when all its blocks are free', () => {
  const { pool, freed } = poolOverPages()
  const blocks = Array.from({ length: 32 }, () => pool.allocate(2, 88).buffer?.start ?? 0)
  expect(new Set(blocks.map(block => block - (block % PAGE)))).toEqual(new Set([0xff000]))
  const [first = 0, second = 0] = blocks
  expect(pool.free(second).status).toBe('EFI_SUCCESS')
  expect(pool.free(first).block).toEqual(rangeAt(first - 0x18, 128))
  expect(pool.allocate(2, 88).buffer?.start).toBe(first)
  expect(pool.allocate(2, 80).buffer?.start).toBe(second)
  expect(pool.free(second + 8).status).toBe('EFI_INVALID_PARAMETER')
  for (const block of blocks) expect(pool.free(block).status).toBe('EFI_SUCCESS')
  expect(freed).toEqual([0xff000])
  expect(pool.free(first).status).toBe('EFI_INVALID_PARAMETER')
  expect(pool.allocate(2, 88).buffer?.start).toBe(0xfe018)
  const large = pool.allocate(2, PAGE).buffer?.start ?? 0
  expect(pool.free(large)).toEqual({ status: 'EFI_SUCCESS', block: null, clause: 'FW-18' })
  expect(freed).toEqual([0xff000, 0xfc000])
})

test("FW-19 says that the firmware's own pools may have room elsewhere", () => {
  const { firmware, assumptions } = smallMachine()
  firmware.allocatePool(2, 64, 'mine')
  firmware.allocatePool(1, 64, 'mine')
  firmware.allocatePool(4, PAGE, 'mine')
  expect(assumptions.map(([clause]) => clause)).not.toContain('FW-19')
  for (let i = 0; i < 40; i++) firmware.allocatePool(4, 64, 'mine')
  expect(assumptions.filter(([clause]) => clause === 'FW-19')).toHaveLength(1)
})

test('FW-23 fills pool buffers with 0xaf in OVMF, when they are handed out and when they come back', () => {
  const bytes = (contents: 'ovmf' | 'residue') => {
    const { memory, firmware } = smallMachine({ contents })
    const buffer = firmware.allocatePool(2, 16, 'mine').at ?? phys(0)
    firmware.allocatePool(2, 16, 'other')
    const fresh = [...memory.readRaw(rangeAt(buffer - 1, 18))]
    memory.patch(buffer, Uint8Array.of(5), 'mine')
    expect(firmware.freePool(buffer)).toBe('EFI_SUCCESS')
    expect(firmware.freePool(buffer)).toBe('EFI_INVALID_PARAMETER')
    return [fresh, ...memory.readRaw(rangeAt(buffer, 1)), ...memory.readRaw(rangeAt(buffer - 0x18, 1))]
  }
  expect(bytes('ovmf')).toEqual([[0, ...Array.from({ length: 16 }, () => 0xaf), 0], 0xaf, 0xaf])
  expect(bytes('residue')).toEqual([Array.from({ length: 18 }, () => 0), 5, 0])
})

test('FW-45 grants unaccepted memory from the pool of 2022.11 alone', () => {
  const status = (row: AllocatorId) =>
    smallMachine({ allocator: row }).firmware.allocatePool(15, 8, 'x').status
  expect((['edk2-2020.11', 'edk2-2022.11', 'edk2-2023.02'] as const).map(status)).toEqual([
    'EFI_INVALID_PARAMETER',
    'EFI_SUCCESS',
    'EFI_INVALID_PARAMETER',
  ])
})

test('FW-46 takes a page of boot services data where the pool has no room, before the image', () => {
  const load = (pool: PoolState | 'unknown') => {
    const machine = smallMachine({ build: { pool } })
    const source = smallPe(
      goodPe([{ VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }], { SizeOfHeaders: 0x400 }),
    )
    const where = rangeAt(0x10000, source.size)
    machine.memory.put(where.start, { source, at: 0, length: source.size }, 'file')
    const again = () =>
      machine.firmware.loadImage({
        from: { kind: 'memory', range: where },
        name: 'x',
        ownerOf: () => ({ object: 'x', at: 0 }),
      }).image?.base
    const [first, second] = [again(), again()]
    return [first, second, machine.assumptions.filter(([clause]) => clause === 'FW-19').length]
  }
  expect(load({ imageRecord: 'room' })).toEqual([0xff8000, 0xff0000, 0])
  expect(load({ imageRecord: 'new-page' })).toEqual([0xff7000, 0xfef000, 0])
  expect(load('unknown')).toEqual([0xff8000, 0xff0000, 1])
})

test('FW-47 describes the pool of an OEM type in boot services data', () => {
  const { firmware } = smallMachine()
  const [first, second] = [
    firmware.allocatePool(0x70000000, 8, 'a').at ?? 0,
    firmware.allocatePool(0x70000000, 8, 'b').at ?? 0,
  ]
  expect(
    firmware
      .memoryMap()
      .filter(({ type }) => type === 4 || type === 0x70000000)
      .map(({ type, range: { start } }) => [type, start]),
  ).toEqual([
    [4, 0x800000],
    [0x70000000, 0xffe000],
    [4, 0xfff000],
  ])
  // The record of the pool goes with its last buffer
  expect(firmware.freePool(phys(first))).toBe('EFI_SUCCESS')
  expect(firmware.memoryMap().filter(({ type }) => type === 4)).toHaveLength(2)
  expect(firmware.freePool(phys(second))).toBe('EFI_SUCCESS')
  expect(firmware.memoryMap()).toEqual(SMALL_MAP)
})

test('FW-54 a small block that is freed is handed out again, the last one first', () => {
  const { firmware } = smallMachine({ allocator: 'patina' })
  const take = () => firmware.allocatePool(2, 100, 'x').at ?? phys(0)
  const [a, b, c] = [take(), take(), take()]
  for (const at of [a, b, c]) expect(firmware.freePool(at)).toBe('EFI_SUCCESS')
  expect([take(), take(), take()]).toEqual([c, b, a])
})
