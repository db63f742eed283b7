import { expect, test } from 'vitest'
import { rangeAt } from '../../../../src/bytes/range.ts'
import { phys } from '../../../../src/bytes/units.ts'
import { boot_e820_entry, boot_params, setupHeaderAt } from '../../../../src/image/x86/boot-params.ts'
import { BOOT_PARAMS, e820Bytes, setupHeader, zeroPage } from '../../../../src/machine/x86/zero-page.ts'
import { Memory } from '../../../../src/memory/memory.ts'
import { Recorder } from '../../../../src/memory/recorder.ts'

const AT = phys(0x90000)

function fresh(): { memory: Memory; recorder: Recorder } {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(rangeAt(0x80000, 0x20000), { kind: 'fill', byte: 0xaf })
  return { memory, recorder }
}

test('fields of boot_params and of its header lie where upstream has them', () => {
  const { memory, recorder } = fresh()
  const page = zeroPage(memory, AT)
  page.clear(boot_params.size)
  page.hdr.set('init_size', 0x2d5e000)
  page.set('alt_mem_k', 0x8000)
  expect([page.hdr.get('init_size'), page.get('alt_mem_k'), page.hdr.get('ramdisk_image')]).toEqual([
    0x2d5e000, 0x8000, 0,
  ])
  expect(page.hdr.range('init_size')).toEqual(rangeAt(AT + 0x260, 4))
  expect(recorder.events.slice(1)).toMatchObject([
    { op: 'zero', range: rangeAt(AT, 0x1000), object: BOOT_PARAMS, at: 0 },
    { op: 'patch', range: rangeAt(AT + 0x260, 4), object: BOOT_PARAMS, at: 0x260 },
    { op: 'patch', range: rangeAt(AT + 0x1e0, 4), object: BOOT_PARAMS, at: 0x1e0 },
  ])
})

test('an address above 4 GiB goes into both halves, the low one first', () => {
  const { memory, recorder } = fresh()
  const page = zeroPage(memory, AT)
  page.clear(boot_params.size)
  page.setWhole('ramdisk_image', 0x123456000)
  expect(page.hdr.get('ramdisk_image')).toBe(0x23456000)
  expect(page.get('ext_ramdisk_image')).toBe(1)
  expect(page.whole('ramdisk_image')).toBe(0x123456000)
  expect(recorder.events.slice(2)).toMatchObject([{ at: 0x218 }, { at: 0xc0 }])
})

test('the header of a kernel file in memory is read with the same layout', () => {
  const { memory } = fresh()
  memory.patch(phys(0x80000 + setupHeaderAt('version')), Uint8Array.of(0x0f, 0x02), 'kernel')
  const hdr = setupHeader(memory, phys(0x80000), 'kernel')
  expect(hdr.get('version')).toBe(0x20f)
  expect(hdr.values().version).toBe(0x20f)
})

test('the e820 table is written in pieces and read as far as it is counted', () => {
  const { memory, recorder } = fresh()
  const page = zeroPage(memory, AT)
  const entries = [
    { addr: 0, size: 0x9f000, type: 1 },
    { addr: 0x100000000, size: 0x40000000, type: 2 },
    { addr: 0xfed00000, size: 0x1000, type: 2 },
  ]
  page.clear(boot_params.size)
  expect(page.e820()).toEqual([])
  page.setE820(0, entries.slice(0, 2))
  page.setE820(2, entries.slice(2))
  page.set('e820_entries', 3)
  expect(page.e820()).toEqual(entries)
  page.set('e820_entries', 2)
  expect(page.e820()).toEqual(entries.slice(0, 2))
  expect(recorder.events.slice(2, 4)).toMatchObject([
    { range: rangeAt(AT + 0x2d0, 40), at: 0x2d0 },
    { range: rangeAt(AT + 0x2d0 + 40, 20), at: 0x2d0 + 40 },
  ])
})

test('a count beyond the table ends with the table', () => {
  const { memory } = fresh()
  const page = zeroPage(memory, AT)
  page.clear(boot_params.size)
  page.set('e820_entries', 200)
  expect(page.e820()).toHaveLength(128)
})

test('entries are stored as struct boot_e820_entry', () => {
  expect(e820Bytes([{ addr: 0x123456789000, size: 0x1000, type: 0xefffffff }])).toEqual(
    boot_e820_entry.write({ addr: 0x123456789000n, size: 0x1000n, type: 0xefffffff }),
  )
})
