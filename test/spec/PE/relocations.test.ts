import { expect, test } from 'vitest'
import { rangeAt } from '../../../src/bytes/range.ts'
import { u32At } from '../../support/bytes.ts'
import { loaded, refused, type Pair } from '../../support/image-loader-runs.ts'
import { smallMachine } from '../../unit/firmware/small-machine.ts'
import { E_LFANEW, smallPe, type SmallPe } from '../../unit/firmware/small-pe.ts'

/** A relocation directory at 0x2000: blocks of [page, size or null for the right one, entries]. */
function withRelocations(
  blocks: readonly (readonly [page: number, size: number | null, entries: readonly number[]])[],
  more: SmallPe = {},
  directory?: readonly [number, number],
): SmallPe {
  const bytes = new Uint8Array(0x400)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [page, size, entries] of blocks) {
    view.setUint32(at, page, true)
    view.setUint32(at + 4, size ?? 8 + 2 * entries.length, true)
    entries.forEach((entry, i) => {
      view.setUint16(at + 8 + 2 * i, entry, true)
    })
    at += 8 + 2 * entries.length
  }
  const code = new Uint8Array(0x200).map((_, i) => i)
  return {
    sections: [
      { VirtualAddress: 0x1000, VirtualSize: 0x200, raw: 0x200, bytes: code },
      { VirtualAddress: 0x2000, VirtualSize: 0x400, raw: 0x400, bytes },
    ],
    directories: Array.from({ length: 16 }, (_, i): Pair => (i === 5 ? (directory ?? [0x2000, at]) : [0, 0])),
    ...more,
  }
}

test('PE-19 relocates a moved image under the owners of its bytes, and writes nothing at ImageBase', () => {
  const machine = smallMachine()
  const entries = [0x0000, 0x1000 | 0x10, 0x2000 | 0x20, 0x3000 | 0x30, 0xa000 | 0x40]
  const { base } = loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, entries]], { ImageBase: 0x12345n })),
  )
  const delta = BigInt(base - 0x12345)
  // Each byte of the code is its own offset
  const view = new DataView(machine.memory.readRaw(rangeAt(base + 0x1000, 0x200)).slice().buffer)
  expect(view.getUint16(0x10, true)).toBe(Number((0x1110n + (delta >> 16n)) & 0xffffn))
  expect(view.getUint16(0x20, true)).toBe(Number((0x2120n + delta) & 0xffffn))
  expect(view.getUint32(0x30, true)).toBe(Number((0x33323130n + delta) & 0xffffffffn))
  expect(view.getBigUint64(0x40, true)).toBe(0x4746454443424140n + delta)
  expect([0, 0x0f, 0x12, 0x1f, 0x22, 0x2f, 0x34, 0x3f, 0x48].map(at => view.getUint8(at))).toEqual([
    0, 0x0f, 0x12, 0x1f, 0x22, 0x2f, 0x34, 0x3f, 0x48,
  ])
  expect(machine.memory.readAs(rangeAt(base + 0x1000, 0x200), 'uki:.s0').whole).toBe(true)
  const field = machine.memory.readRaw(rangeAt(base + E_LFANEW + 48, 8))
  expect(new DataView(field.slice().buffer).getBigUint64(0, true)).toBe(BigInt(base))
  const still = smallMachine()
  loaded(still, smallPe(withRelocations([[0x1000, null, entries]], { ImageBase: 0x400000n })))
  expect(still.recorder.events.some(event => event.op === 'patch' || event.op === 'amend')).toBe(false)
})

test('PE-19 moves an image downwards, narrow ones too, and skips one whose relocations are stripped', () => {
  const machine = smallMachine()
  const { base } = loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, [0x3030]]], { ImageBase: 0xfffff000n, pe32: true })),
  )
  const view = new DataView(machine.memory.readRaw(rangeAt(base + 0x1030, 8)).slice().buffer)
  expect(view.getUint32(0, true)).toBe((0x33323130 + base - 0xfffff000 + 2 ** 33) % 2 ** 32)
  expect(view.getUint32(4, true)).toBe(0x37363534)
  expect(u32At(machine.memory, base + E_LFANEW + 52)).toBe(base)
  const stripped = smallMachine()
  loaded(
    stripped,
    smallPe(withRelocations([[0x1000, 0, []]], { ImageBase: 0x400000n, Characteristics: 0x23 }, [0x9000, 8])),
  )
  expect(stripped.recorder.events.some(event => event.op === 'patch' || event.op === 'amend')).toBe(false)
})

test('PE-20 fails a load for a bad relocation directory', () => {
  const relocations = (
    blocks: Parameters<typeof withRelocations>[0],
    directory?: readonly [number, number],
    more: SmallPe = {},
  ) => refused(withRelocations(blocks, more, directory))
  const bad = ['EFI_LOAD_ERROR', 'PE-20']
  const good = ['EFI_SUCCESS', '']
  expect(relocations([[0x1000, null, [0xa000]]])).toEqual(good)
  expect(relocations([], [0x2000, 0])).toEqual(good)
  expect(relocations([], [0x2000, 1])).toEqual(good)
  expect(relocations([], [0x4000, 8])).toEqual(bad)
  expect(relocations([], [0x2000, 0x2001])).toEqual(bad)
  expect(relocations([], [0x3000, 0xfffff000])).toEqual(bad)
  expect(relocations([], [0x3000, 0xfffff000], { ImageBase: 0x400000n })).toEqual(bad)
  expect(relocations([[0x1000, 0, []]])).toEqual(bad)
  expect(relocations([[0x1000, 0, []]], undefined, { ImageBase: 0x400000n })).toEqual(good)
  expect(relocations([[0x1000, 12, [0xa000]]])).toEqual(bad)
  expect(relocations([[0x4000, null, [0x0000]]])).toEqual(bad)
  expect(relocations([[0x4000, null, []]])).toEqual(bad)
  expect(relocations([[0x3fff, null, [0x0000]]])).toEqual(good)
  expect(relocations([[0x3001, null, [0x0fff]]])).toEqual(bad)
  expect(relocations([[0x1000, null, [0x4000]]])).toEqual(['EFI_UNSUPPORTED', 'PE-20'])
  expect(relocations([[0x1000, null, [0x0000]]], [0x2000, 11])).toEqual(good)
})

test('PE-20 reads a directory only if the header has room for one, and applies none too large', () => {
  const few = (n: number) =>
    refused({
      directories: Array.from({ length: n }, () => [0, 0] as const),
      sections: [{ name: 'ABCDEFGH', VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }],
    })
  expect(few(4)).toEqual(['EFI_SUCCESS', ''])
  expect(few(5)).toEqual(['EFI_LOAD_ERROR', 'PE-20'])
  const machine = smallMachine()
  loaded(
    machine,
    smallPe(withRelocations([[0x1000, null, [0xa000]]], { SizeOfImage: 0x100000 }, [0x2000, 0x40001])),
  )
  expect(machine.assumptions.map(([clause]) => clause)).toContain('PE-20')
})
