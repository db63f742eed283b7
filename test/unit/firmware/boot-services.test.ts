import { expect, test } from 'vitest'
import { ModelBug, UsageError } from '../../../src/bytes/errors.ts'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { bytesSource, countingSource, sparseSource } from '../../../src/bytes/source.ts'
import { byteCount, fileOffset, phys } from '../../../src/bytes/units.ts'
import { retype, splitMap } from '../../../src/firmware/memory-map.ts'
import { checkImage } from '../../../src/firmware/edk2/image-checks.ts'
import { memorySource } from '../../../src/firmware/image-loaders/load-image.ts'
import { EFI_MEMORY_RUNTIME } from '../../../src/image/memory-types.ts'
import { descriptor, edk2Pages, loadFile, SMALL_MAP, smallMachine } from './small-machine.ts'
import { E_LFANEW, smallPe, smallPeBytes } from './small-pe.ts'

test('a map whose descriptors overlap or are not made of pages is unusable', () => {
  expect(() => splitMap([descriptor(7, 0x1000, 0x3000), descriptor(4, 0x2000, 0x4000)])).toThrow(UsageError)
  expect(() => splitMap([descriptor(7, 0x1000, 0x1800)])).toThrow(UsageError)
  expect(() => splitMap([descriptor(7, 0x800, 0x2000)])).toThrow('0x800-0x2000')
  expect(() => splitMap([descriptor(7, 0x2000, 0x3000), descriptor(4, 0x1000, 0x2000)])).not.toThrow()
})

test('retype turns pages into a type, joins them and leaves the rest', () => {
  const map = [
    descriptor(7, 0x1000, 0x4000),
    descriptor(1, 0x4000, 0x6000),
    descriptor(7, 0x6000, 0x7000),
    descriptor(6, 0x9000, 0xa000, EFI_MEMORY_RUNTIME | 0xfn),
    descriptor(11, 0xb000, 0xc000),
  ]
  expect(retype(map, range(0x4000, 0x6000), 7)).toEqual([descriptor(7, 0x1000, 0x7000), ...map.slice(3)])
  expect(retype(map, range(0x3000, 0x5000), 4)).toEqual([
    descriptor(7, 0x1000, 0x3000),
    descriptor(4, 0x3000, 0x5000),
    descriptor(1, 0x5000, 0x6000),
    ...map.slice(2),
  ])
  expect(retype(map, range(0x7000, 0x9000), 4)).toEqual(map)
  expect(retype(map, range(0xb000, 0xc000), 4)).toEqual(map)
})

test('a fraction of a page or a negative count is a mistake of ours', () => {
  const allocator = edk2Pages(SMALL_MAP, { bins: [], defaultMax: 0xffffff })
  for (const pages of [-1, 0.5, Number.NaN])
    expect(() => allocator.allocate({ kind: 'any' }, 2, pages)).toThrow(ModelBug)
})

test('every call is a step of the firmware, inside whatever step asked for it', () => {
  const { firmware, recorder } = smallMachine()
  const before = recorder.steps.length
  recorder.as('stub', () => {
    recorder.step('ST-1', 'the stub asks', () => {
      firmware.allocatePages({ kind: 'max', limit: 0xffff }, 2, 1, 'a')
      firmware.allocatePages({ kind: 'address', at: 0x3000 }, 2, 1, 'b')
      const { at } = firmware.allocatePool(2, 10, 'c')
      firmware.freePool(at ?? phys(0))
      firmware.freePages(phys(0x3000), 1)
    })
  })
  const steps = recorder.steps.slice(before).filter(({ parent }) => parent === null || parent === before)
  expect(steps.map(({ clause, actor, parent, what }) => [clause, actor, parent === before, what])).toEqual([
    ['ST-1', 'stub', false, 'the stub asks'],
    ['FW-4', 'firmware', true, 'AllocatePages(MaxAddress 0xffff, EfiLoaderData, 0x1 pages) for a'],
    ['FW-25', 'firmware', true, 'AllocatePages(Address 0x3000, EfiLoaderData, 0x1 pages) for b'],
    ['FW-16', 'firmware', true, 'AllocatePool(EfiLoaderData, 0xa bytes) for c'],
    ['FW-18', 'firmware', true, 'FreePool(0xfff018)'],
    ['FW-10', 'firmware', true, 'FreePages(0x3000, 0x1 pages)'],
  ])
  expect(recorder.events.flatMap(event => (event.op === 'claim' ? [event.label] : [])).slice(-4)).toEqual([
    'a',
    'b',
    'firmware:pool',
    'c',
  ])
})

test('whoever calls, the firmware acts, and each call is a step under the clause that decided', () => {
  const { recorder, firmware } = smallMachine()
  const from = recorder.steps.length
  const pages = recorder.as('stub', () => {
    const { at } = firmware.allocatePages({ kind: 'any' }, 2, 1, 'a')
    firmware.allocatePages({ kind: 'any' }, 7, 1, 'b')
    firmware.allocatePages({ kind: 'max', limit: 1 }, 2, 1, 'c')
    const buffer = firmware.allocatePool(2, 8, 'd').at
    firmware.freePages(phys(0x2000), 1)
    firmware.freePool(phys(buffer ?? 0))
    firmware.memoryMap()
    return at
  })
  expect(pages).toBe(0xfff000)
  expect(recorder.steps.slice(from).map(({ actor, clause, what }) => `${actor} ${clause} ${what}`)).toEqual([
    'firmware FW-5 AllocatePages(AnyPages, EfiLoaderData, 0x1 pages) for a',
    'firmware FW-7 AllocatePages(AnyPages, EfiConventionalMemory, 0x1 pages) for b',
    'firmware FW-26 AllocatePages(MaxAddress 0x1, EfiLoaderData, 0x1 pages) for c',
    'firmware FW-16 AllocatePool(EfiLoaderData, 0x8 bytes) for d',
    'firmware FW-5 pages for the pool',
    'firmware FW-17 the buffer',
    'firmware FW-23 filled with 0xaf',
    'firmware FW-10 FreePages(0x2000, 0x1 pages)',
    'firmware FW-18 FreePool(0xffe018)',
    'firmware FW-10 the pool frees pages',
    'firmware FW-13 filled with 0xaf',
    'firmware FW-14 GetMemoryMap',
  ])
})

test('a given search policy is not guessed, a guessed one without bins is said', () => {
  expect(smallMachine().assumptions.map(([clause]) => clause)).toContain('FW-9')
  const given = smallMachine({ build: { search: { bins: [], defaultMax: 0x7fffff } } })
  expect(given.assumptions.map(([clause]) => clause)).toEqual(['FW-12'])
  expect(given.firmware.allocatePages({ kind: 'any' }, 2, 1, 'a').at).toBe(0x7ff000)
})

test('what cannot be had changes nothing', () => {
  const { firmware, recorder } = smallMachine()
  const events = recorder.events.length
  expect(firmware.allocatePages({ kind: 'any' }, 7, 1, 'a')).toMatchObject({
    status: 'EFI_INVALID_PARAMETER',
    at: null,
  })
  expect(firmware.allocatePool(2, 0x2000000, 'a')).toEqual({ status: 'EFI_OUT_OF_RESOURCES', at: null })
  expect(firmware.freePages(phys(0x2000000), 1)).toBe('EFI_NOT_FOUND')
  expect(firmware.freePool(phys(0x5000))).toBe('EFI_INVALID_PARAMETER')
  expect(recorder.events).toHaveLength(events)
  expect(firmware.memoryMap()).toEqual(SMALL_MAP)
})

test('pages that were freed before FreePages failed are released in memory too', () => {
  const { firmware, memory } = smallMachine()
  firmware.allocatePages({ kind: 'address', at: 0x4000 }, 2, 2, 'a')
  expect(firmware.freePages(phys(0x4000), 3)).toBe('EFI_NOT_FOUND')
  expect([...memory.claims(rangeAt(0x4000, 0x2000))]).toEqual([])
})

test('an image from memory keeps the owners of its bytes, and takes no buffer', () => {
  const machine = smallMachine()
  const bytes = smallPeBytes({ sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x300, raw: 0x200 }] })
  machine.memory.claim(rangeAt(0x100000, bytes.length), 'somewhere')
  machine.memory.put(phys(0x100000), { source: bytesSource(bytes), at: 0, length: bytes.length }, 'kernel')
  machine.memory.patch(phys(0x100480), Uint8Array.of(1), 'intruder', 5)
  const { image } = machine.firmware.loadImage({
    from: { kind: 'memory', range: rangeAt(0x100000, bytes.length) },
    name: 'kernel',
    ownerOf: section => ({ object: 'kernel', at: section.VirtualAddress }),
  })
  expect(image?.pages).toEqual(rangeAt(0xffc000, 0x4000))
  const base = image?.base ?? phys(0)
  expect(machine.memory.readAs(rangeAt(base, E_LFANEW + 48), 'kernel').whole).toBe(true)
  expect(
    machine.memory.readAs(rangeAt(base + 0x1000, 0x200), 'kernel', { at: 0x400 }).deviations,
  ).toMatchObject([{ at: 0x480, found: { whose: { object: 'intruder', at: 5 } } }])
  expect(machine.memory.readAs(rangeAt(base + 0x1200, 0x100), 'kernel', { at: 0x1200 }).whole).toBe(true)
})

test('bytes in memory read like a file', () => {
  const { memory } = smallMachine()
  memory.patch(phys(0x1000), Uint8Array.of(1, 2, 3, 4), 'x')
  const source = memorySource(memory, rangeAt(0x1000, 4))
  expect(source.size).toBe(byteCount(4))
  expect([...source.read(fileOffset(1), 2)]).toEqual([2, 3])
  expect([...source.read(fileOffset(2), 9)]).toEqual([3, 4])
  expect([...source.read(fileOffset(4), 1)]).toEqual([])
})

test('an empty file is a load error once it reaches the loader', () => {
  expect(checkImage(bytesSource(new Uint8Array(0)))).toMatchObject({
    status: 'EFI_LOAD_ERROR',
    clause: 'PE-3',
  })
  expect(checkImage(bytesSource(new Uint8Array(64)))).toMatchObject({
    status: 'EFI_UNSUPPORTED',
    clause: 'PE-3',
  })
})

test('a load costs the headers, not the payload', () => {
  const machine = smallMachine({ map: [descriptor(7, 0x1000, 0x100000000)] })
  const pe = smallPeBytes({
    SizeOfImage: 0x42000000,
    sections: [{ VirtualAddress: 0x1000, VirtualSize: 0x40000000, raw: 0 }],
  })
  new DataView(pe.buffer).setUint32(E_LFANEW + 24 + 240 + 16, 0x40000000, true)
  const source = countingSource(sparseSource(0x40000400, [{ at: 0, source: bytesSource(pe) }]))
  const result = loadFile(machine, source)
  expect(result.status).toBe('EFI_SUCCESS')
  expect(source.bytesRead()).toBeLessThan(0x2000)
})

test('the small machine loads what the PE builder makes', () => {
  expect(loadFile(smallMachine(), smallPe()).status).toBe('EFI_SUCCESS')
})

test('EP-40 a build says whether it sets the attributes of memory', () => {
  expect(smallMachine({ build: { memoryAttributes: 'refused' } }).firmware.memoryAttributes).toBe('refused')
  expect(smallMachine().firmware).not.toHaveProperty('memoryAttributes')
})

test('FW-43 untested memory is RAM, in the map or not', () => {
  const ram = (start: number): boolean => {
    const { memory } = smallMachine({ build: { untested: [rangeAt(start, 0x10000)] } })
    return [...memory.extents(rangeAt(start, 0x10000))].length > 0
  }
  expect([ram(0x2000000), ram(0x400000)]).toEqual([true, true])
})
