import { expect, test } from 'vitest'
import { prepareImage, prepareMachine } from '../../../src/boot/prepare.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { mayNeedRoom } from '../../../src/boot/room-in-place.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { viewUki, type UkiView } from '../../../src/image/uki.ts'
import { memoryMap, uki, type UkiOptions } from '../../../src/vitest/builders.ts'
import { scenario } from '../../../src/vitest/scenario.ts'
import { textOf } from '../../support/repository.ts'
import { examples } from '../../unit/hazard/examples.ts'
import { idsOf, kernelFile } from '../../unit/hazard/images.ts'

/** What the advice says of releases. It knows no table; here the tables are asked whether it is right. */
const WHY = examples['no-room-for-init-size']?.()[0]?.why ?? expect.fail('no advice')

/** Of a kernel with a PE entry that stubs start, and of one without. */
const WITH_PE_ENTRY = '6.12.107-cloud'
const WITHOUT_PE_ENTRY = 'derived-5.6'
const said = (pattern: RegExp): readonly string[] =>
  (pattern.exec(WHY) ?? expect.fail(`not said: ${pattern.source}`)).slice(1)
const [lastInPlace = ''] = said(
  /^stubs up to v(\d+) enter the kernel in place; later ones only if it has no usable PE entry point/,
)
const copying = said(/, and v([\d.]+), v([\d.]+), v([\d.]+) and v([\d.]+) copy it first even then/).map(
  numbers,
)
const [unpacks = '', clears = ''] = said(
  /Entered in place, (\S+) decompresses itself over what follows, and kernels from ([\d.]+) on \(and late 6\.1\.y\) clear their \.bss there; 5\.7-rc2 to 6\.5 relocate themselves first$/,
)
const [late = ''] =
  /\((6\.1\.\d+) in 6\.1\)/.exec(textOf('docs/hazards/no-room-for-init-size.md'))?.slice(1) ?? []

function numbers(version: string): readonly number[] {
  return version.split(/\D+/).map(Number)
}

/** Every release that begins a row. */
const stubReleases = Object.values(stubEras).flatMap(era => era.spans.map(({ from }) => from))

/** A boot of a file in which .initrd begins right behind .linux, prepared for all releases. */
function prepared(kernel: string): CheckInput {
  const { image, machine, ...rest } = scenario({ image: uki({ stub: '247.3', kernel }) })
  return {
    ...rest,
    image: { ...image, source: prepareImage(image.source) },
    machine: prepareMachine(machine),
  }
}
const BOOTS = {
  [WITH_PE_ENTRY]: prepared(WITH_PE_ENTRY),
  [WITHOUT_PE_ENTRY]: prepared(WITHOUT_PE_ENTRY),
}

/** Does the stub enter the kernel where it lies in the image? */
function entersInPlace(stub: string, kernel: keyof typeof BOOTS): boolean {
  const { facts } = check({ ...BOOTS[kernel], stub }).report
  return facts.handOff?.kernelImage === facts.sections?.find(({ name }) => name === '.linux')?.address
}

test('HZ-11 less room than the kernel takes behind .linux is advice, enough room is not', () => {
  const linux = { name: '.linux', at: 0x100000, raw: kernelFile(0x4a00, 0x800000) }
  expect(idsOf([linux, { name: '.initrd', at: 0x8ff000, raw: 0x1000 }])).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(idsOf([linux, { name: '.initrd', at: 0x900000, raw: 0x1000 }])).toEqual([])
  expect(idsOf([{ name: '.initrd', at: 0x10000, raw: 0x1000 }, linux], { sizeOfImage: 0x105000 })).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(idsOf([linux], { sizeOfImage: 0x100000 })).toEqual(['section-beyond-image-size kernel'])
  const late = { name: '.linux', at: 0x100000, raw: kernelFile(0x4a00, 0x800000, 0x90000) }
  expect(idsOf([late, { name: '.initrd', at: 0x190000, raw: 0x1000 }])).toEqual([])
  expect(idsOf([late, { name: '.initrd', at: 0x18f000, raw: 0x1000 }])).toEqual([
    'no-room-for-init-size kernel',
  ])
  expect(
    idsOf([
      { name: '.linux', at: 0x100000, raw: 0x100 },
      { name: '.initrd', at: 0x101000, raw: 0x1000 },
    ]),
  ).toEqual([])
})

test('HZ-11 the stubs that enter a kernel in place are those that the advice names', () => {
  const inPlace = stubReleases.filter(stub => entersInPlace(stub, WITH_PE_ENTRY))
  expect(inPlace).toEqual(stubReleases.filter(stub => (numbers(stub)[0] ?? 0) <= Number(lastInPlace)))
  const copies = ([major = 0, point = 0]: readonly number[]): boolean =>
    copying.some(([branch = 0, first = 0]) => major === branch && point >= first)
  const inPlaceWithoutEntry = stubReleases.filter(stub => entersInPlace(stub, WITHOUT_PE_ENTRY))
  expect(inPlaceWithoutEntry).toEqual(stubReleases.filter(stub => !copies(numbers(stub))))
  expect([inPlace.length, inPlaceWithoutEntry.length].every(count => count > 10)).toBe(true)
})

test('HZ-11 the kernels that harm what follows them, entered in place, are those in the advice', () => {
  const releases = kernelEras.flatMap(({ id, spans }) => spans.map(({ from }) => ({ id, from })))
  const harms = ({ id, from }: { id: string; from: string }): boolean => {
    const [major = 0, minor = 0] = numbers(from)
    const kernel = major * 100 + minor < 507 ? WITHOUT_PE_ENTRY : WITH_PE_ENTRY
    return check({ ...BOOTS[kernel], kernel: id }).report.verdict === 'damage'
  }
  const isSaid = (from: string): boolean => {
    const [[major = 0, minor = 0, point = 0], [x = 0, y = 0], [, , z = 0]] = [
      numbers(from),
      numbers(clears),
      numbers(late),
    ]
    const inBranch = major === 6 && minor === 1 && !from.includes('rc') && point >= z
    return from === unpacks || major > x || (major === x && minor >= y) || inBranch
  }
  const harmful = releases.filter(harms).map(({ from }) => from)
  expect(harmful).toEqual(releases.map(({ from }) => from).filter(isSaid))
  expect(harmful).toContain(late)
})

/** Is the advice in the report of a boot of this image? */
function isGiven(image: UkiOptions, more: Partial<CheckInput> = {}): boolean {
  const { report } = check({ ...scenario({ image: { initrd: '8M', ...image } }), ...more })
  return report.advice.some(({ rule }) => rule === 'no-room-for-init-size')
}
/** A machine on which no image of 20 MiB can be loaded. */
const NO_ROOM = { what: 'small', map: memoryMap(['EfiConventionalMemory', 0x100000, 0x1000000]) }
const PACKED = { as: 'dracut-060', kernel: '6.12.107-cloud' } as const

test('HZ-11 no advice for a stub that starts the kernel elsewhere, or a kernel that leaves at once', () => {
  expect(isGiven({ ...PACKED, stub: '247.3' })).toBe(true)
  for (const stub of ['252.39', '254.26', '257.13', '262.1'])
    expect([stub, isGiven({ ...PACKED, stub })]).toEqual([stub, false])
  // 5.10 moves away from where it was entered, 5.6 has its .bss in the file
  expect(isGiven({ ...PACKED, stub: '247.3', kernel: '5.10.223' })).toBe(false)
  expect(isGiven({ ...PACKED, stub: '247.3', kernel: 'derived-5.6' })).toBe(false)
  expect(isGiven({ ...PACKED, stub: '247.3', kernel: 'derived-5.7-rc1' })).toBe(true)
})

test('HZ-11 advice for a kernel that copies init_size bytes where the image ends and there is no RAM', () => {
  const last = { as: 'ukify-253', stub: '247.3', kernel: '5.10.223' } as const
  expect(isGiven(last)).toBe(true)
  expect(isGiven({ ...last, kernel: '5.10.223-cloud' })).toBe(false)
})

test('HZ-11 where no run hands over, stub and kernel of the file are asked', () => {
  const view = (stub: string, kernel: string): UkiView => {
    const { pe } = parsePe(uki({ ...PACKED, stub, kernel, initrd: '8M' }))
    return viewUki(pe ?? expect.fail('no PE file'))
  }
  const needs = (stub: string, kernel: string, more: Parameters<typeof mayNeedRoom>[1] = {}): boolean =>
    mayNeedRoom(view(stub, kernel), more)
  expect(needs('247.3', '6.12.107-cloud')).toBe(true)
  expect(needs('247.3', 'derived-5.7-rc1')).toBe(true)
  expect(needs('247.3', '5.10.223-cloud')).toBe(false)
  for (const stub of ['252.39', '254.26', '257.13', '262.1'])
    for (const kernel of ['6.12.107-cloud', 'derived-5.7-rc1']) expect(needs(stub, kernel)).toBe(false)
  expect(needs('257.13', '6.12.107-cloud', { stub: '247.3' })).toBe(true)
  expect(needs('247.3', '6.12.107-cloud', { kernel: 'linux/E2' })).toBe(false)
  // Before 5.7 there is no PE entry that stubs use: copied by v257, in place from v258 on, at no cost
  expect(needs('262.1', 'derived-5.6')).toBe(false)
  expect(needs('262.1', 'derived-5.6', { kernel: 'linux/E5' })).toBe(true)
  expect(needs('257.13', 'derived-5.6', { kernel: 'linux/E5' })).toBe(false)
  expect(needs('257.13', '6.12.107-cloud', { stub: { id: 'x-mine', boot: () => expect.fail() } })).toBe(true)
  expect(needs('247.3', '5.10.223-cloud', { kernel: { id: 'x-mine', start: () => expect.fail() } })).toBe(
    true,
  )
  expect(isGiven({ ...PACKED, stub: '247.3' }, { machine: NO_ROOM })).toBe(true)
  expect(isGiven({ ...PACKED, stub: '257.13' }, { machine: NO_ROOM })).toBe(false)
})
