/**
 * The hazards of a kernel's start, H1 to H24: each is tried on every row of the table, and must fire in its
 * eras and nowhere else.
 */
import { describe, expect, test } from 'vitest'
import { rangeAt } from '../../src/bytes/range.ts'
import { phys } from '../../src/bytes/units.ts'
import { imageLoaderNamed } from '../../src/firmware/image-loaders/image-loaders.ts'
import { kernelEras } from '../../src/kernel/kernels.ts'
import { startKernel } from '../../src/kernel/x86/model.ts'
import { readKernelFile } from '../../src/kernel/x86/file.ts'
import { Stop, type Outcome } from '../../src/machine/machine.ts'
import {
  bench,
  contractsOf,
  descriptor,
  eraNamed,
  eventsOf,
  free,
  handover,
  kernelNamed,
  legacy,
  manyDescriptors,
  peEntry,
  SMALL_MAP,
  start,
  type Bench,
  type HandoverOptions,
  type Kernel,
  type LegacyOptions,
  type PeEntryOptions,
} from '../support/kernel-bench.ts'
import { WIDE } from '../support/decompressor-runs.ts'
import { F } from '../support/kernels.ts'

const SAMPLES: readonly (readonly [eras: RegExp, kernel: string])[] = [
  [/^E0/, 'derived-5.6'],
  [/^E1/, 'derived-5.7-rc1'],
  [/^E[23]/, 'debian-5.10.223-cloud'],
  [/^E4/, 'debian-6.1.170-cloud'],
  [/^E5/, 'debian-6.12.107-cloud'],
  [/^E6/, 'debian-7.2.13-cloud'],
]
const built = new Map(SAMPLES.map(([, name]) => [name, kernelNamed(name)]))
const rows = kernelEras.map(era => era.id.slice('linux/'.length))
const sampleOf = (era: string): Kernel =>
  built.get(SAMPLES.find(([eras]) => eras.test(era))?.[1] ?? '') ?? kernelNamed('')

/** The rows in which a predicate holds. */
const firing = (
  predicate: (era: string, kernel: Kernel) => boolean,
  among: readonly string[] = rows,
): string[] => among.filter(era => predicate(era, sampleOf(era)))
const some = (...patterns: RegExp[]): string[] =>
  rows.filter(era => patterns.some(pattern => pattern.test(era)))

const MOVES = /^E(0|1|2)/
const DECOMPRESSES = /^E[3-6]/
const TRUSTS_PE_LOADER = ['E1', 'E3a', 'E3', 'E3b', 'E4c', 'E4e', 'E5a', 'E5', 'E6']
const GETS_LOST = ['E3b', 'E3d', 'E3c', 'E4a', 'E4b', 'E4']

interface Ran {
  readonly on: Bench
  readonly outcome: Outcome
}

function handed(
  era: string,
  options: Partial<HandoverOptions> = {},
  given: Bench | ((on: Bench) => Bench) = bench(),
): Ran {
  const on = typeof given === 'function' ? given(bench()) : given
  const kernel = options.kernel ?? sampleOf(era)
  const image = options.image ?? F
  const from = handover(on, {
    image,
    ...options,
    kernel,
    header: { code32_start: (image + kernel.image.setupSize) % 2 ** 32, ...options.header },
  })
  return { on, outcome: start(on, `linux/${era}`, from) }
}
function entered(era: string, options: Partial<PeEntryOptions> = {}, on: Bench = bench()): Ran {
  return {
    on,
    outcome: start(on, `linux/${era}`, peEntry(on, { kernel: sampleOf(era), image: F, ...options })),
  }
}
function direct(era: string, options: Partial<LegacyOptions> = {}, on: Bench = bench({ map: WIDE })): Ran {
  return {
    on,
    outcome: start(
      on,
      `linux/${era}`,
      legacy(on, {
        kernel: sampleOf(era),
        at: 0x100000,
        bootParams: 0x90000,
        commandLineAt: 0x92000,
        ...options,
      }),
    ),
  }
}
const broken = ({ on }: Ran, clause: string): boolean =>
  contractsOf(on).some(contract => contract.clause === clause && !contract.kept)
const initrdHit = ({ on }: Ran): boolean => (on.notes.facts.initrdDamage ?? []).length > 0
const geometry = (kernel: Kernel) =>
  readKernelFile(bench().machine, { object: 'kernel', source: kernel.source })
/** First page after the bytes of the file. */
const behind = (kernel: Kernel): number => Math.ceil(kernel.source.size / 4096) * 4096

describe('hazards of a kernel', () => {
  test('H1 globals of the EFI stub lie in memory that nobody cleared', () => {
    expect(
      firing(era => eventsOf(handed(era).on, 'EP-4', 'read').some(event => event.deviations.length > 0)),
    ).toEqual(['E1'])
  })

  test('H2 the handover entry clears what lies after the kernel', () => {
    const hit = (at: (kernel: Kernel) => number) =>
      firing((era, kernel) => {
        const ran = handed(era, { initrd: { at: F + at(kernel), size: 0x100000 } })
        return eventsOf(ran.on, 'EP-6', 'zero').length > 0 && initrdHit(ran)
      })
    const ebss = (kernel: Kernel): number => kernel.image.setupSize + geometry(kernel).ebss
    expect(hit(behind)).toEqual(some(DECOMPRESSES))
    expect(hit(kernel => ebss(kernel) - 1)).toEqual(some(DECOMPRESSES))
    expect(hit(ebss)).toEqual([])
  })

  test('H3 .bss lies in memory that may be handed out while it is used', () => {
    const inFree = (era: string) => handed(era, { image: 0x10000000, initrd: null })
    expect(firing(era => broken(inFree(era), 'HO-6') || broken(inFree(era), 'HO-5'))).toEqual(
      some(/^E1/, DECOMPRESSES),
    )
  })

  test('H4 the PE loader did not clear the tail of the image', () => {
    expect(
      firing(era =>
        eventsOf(entered(era, { zeroTail: false }).on, 'EP-7', 'read').some(
          event => event.deviations.length > 0,
        ),
      ),
    ).toEqual(TRUSTS_PE_LOADER)
  })

  describe('H5 the window is written where the kernel was put', () => {
    test('after a handover of an aligned kernel', () => {
      expect(
        firing((era, kernel) => {
          const image = 0x18200000 - kernel.image.setupSize
          return initrdHit(
            handed(era, {
              image,
              initrd: { at: 0x18200000 + geometry(kernel).end + 0x100000, size: 0x1000 },
            }),
          )
        }),
      ).toEqual(['E1'])
    })

    test('after a PE entry, when the loader gave less than SizeOfImage', () => {
      expect(
        firing((era, kernel) =>
          broken(entered(era, { initrd: { at: F + behind(kernel) + 0x400000, size: 0x1000 } }), 'HO-4'),
        ),
      ).toEqual(some(/^E[12]/))
    })

    test("at the boot protocol's own entries, of every kernel", () => {
      for (const via of ['legacy-32', 'legacy-64'] as const) {
        const hit = (at: (kernel: Kernel) => number) =>
          firing((era, kernel) => {
            const ran = direct(era, { via, initrd: { at: at(kernel), size: 0x1000 } })
            return broken(ran, 'HO-4') && initrdHit(ran)
          })
        expect(hit(() => 0x2000000)).toEqual(rows)
        expect(hit(kernel => 0x1000000 + kernel.image.hdr.init_size)).toEqual([])
      }
    })
  })

  test('H6 the running copy writes into its own .bss, after the file', () => {
    const late = rows.filter(era => !era.startsWith('E0'))
    const at = (kernel: Kernel): number => 0x100000 + geometry(kernel).bootStackEnd - 16
    expect(
      firing(
        (era, kernel) => initrdHit(direct(era, { via: 'legacy-32', initrd: { at: at(kernel), size: 16 } })),
        late,
      ),
    ).toEqual(late)
    expect(
      firing((era, kernel) => broken(direct(era, { initrd: { at: at(kernel), size: 16 } }), 'HO-6'), late),
    ).toEqual(late)
    expect(
      firing(
        (era, kernel) =>
          initrdHit(
            direct(era, { via: 'legacy-32', initrd: { at: 0x100000 + geometry(kernel).ebss, size: 16 } }),
          ),
        late,
      ),
    ).toEqual([])
    expect(
      firing((era, kernel) =>
        handed(era, {
          initrd: { at: F + kernel.image.setupSize + geometry(kernel).bootStackEnd - 16, size: 16 },
        }).on.notes.doubts.some(doubt => doubt.clause === 'ZO-20'),
      ),
    ).toEqual([])
  })

  test('H7 without KASLR the output overwrites what is in its way; with it the lower part is spared', () => {
    const initrd = { at: 0x1800000, size: 0x1000 }
    expect(firing(era => initrdHit(direct(era, { initrd, commandLine: 'nokaslr' })))).toEqual(rows)
    expect(
      firing(era =>
        initrdHit(direct(era, { initrd, commandLine: 'quiet' }, bench({ map: WIDE, kaslr: 'command-line' }))),
      ),
    ).toEqual([])
  })

  test('H8 the move reads init_size bytes, whatever is there', () => {
    const tight = SMALL_MAP.map(entry =>
      entry.range.start === 0x18000000 ? descriptor(1, 0x18000000, 0x1000000) : entry,
    ).filter(entry => entry.range.start !== 0x1c000000)
    expect(
      firing(era =>
        handed(era, { initrd: null }, bench({ map: tight })).on.notes.doubts.some(
          doubt => doubt.clause === 'EP-16',
        ),
      ),
    ).toEqual(['E0a', 'E0', 'E1', 'E2a', 'E2f', 'E2h', 'E2c', 'E2'])
  })

  test('H9 there is no room', () => {
    const map = [
      free(0x1000, 0x9f000),
      descriptor(4, 0x900000, 0xc00000),
      free(0x1500000, 0x2000000),
      ...SMALL_MAP.slice(3, 4),
      free(0x1c000000, 0x1000000),
      ...SMALL_MAP.slice(5),
    ]
    const how = (era: string): string => {
      const { outcome } = handed(era, { initrd: null }, bench({ map }))
      return outcome.kind === 'refused' ? outcome.refusal.clause : outcome.kind
    }
    expect(firing(era => how(era) === 'EP-17')).toEqual(some(MOVES))
    expect(firing(era => how(era) === 'undefined')).toEqual(GETS_LOST)
    expect(firing(era => how(era) === 'EP-21')).toEqual(
      some(DECOMPRESSES).filter(era => !GETS_LOST.includes(era)),
    )
  })

  test('H10 a kernel_alignment below 2 MiB leaves the output misaligned', () => {
    const refused = ({ outcome }: Ran): boolean =>
      outcome.kind === 'refused' && outcome.refusal.clause === 'ZO-10'
    expect(
      firing(era => refused(direct(era, { at: 0x2001000, header: { kernel_alignment: 0x1000 } }))),
    ).toEqual(rows)
    expect(firing(era => refused(direct(era, { at: 0x2001000 })))).toEqual([])
    expect(
      firing(era => refused(handed(era, { header: { kernel_alignment: 0x1000 } })), some(DECOMPRESSES)),
    ).toEqual([])
  })

  test('H11 alignment and init_size of boot_params are believed where head_64.S runs', () => {
    expect(firing(era => handed(era, { header: { init_size: 0 } }).outcome.kind === 'refused')).toEqual(
      some(MOVES),
    )
    expect(firing(era => direct(era, { header: { init_size: 0 } }).outcome.kind !== 'arrived')).toEqual(rows)
    expect(
      firing(era => direct(era, { header: { kernel_alignment: 0 } }).outcome.kind !== 'arrived'),
    ).toEqual(rows)
    const short = (era: string, kernel: Kernel): boolean =>
      handed(era, { header: { init_size: kernel.image.hdr.init_size - 0x1000 } }).on.notes.doubts.some(
        doubt => doubt.clause === 'ZO-11',
      )
    expect(firing(short)).toEqual(some(MOVES))
  })

  test('H12 a header copy of a sector overwrites what lies after the header', () => {
    const copied = (era: string): number =>
      Math.max(0, ...eventsOf(entered(era).on, 'EP-10', 'read').map(event => event.range.end - F))
    expect(firing(era => copied(era) > 0x26c)).toEqual(['E0a', 'E0', 'E1', 'E2a', 'E2f'])
  })

  test('H13 the window opens where ImageBase points, which is not where the image lies', () => {
    const FALSE_BASE = 0x10000000
    const lying = (era: string, imageBase: number, on = bench()): Ran => {
      const kernel = sampleOf(era)
      const from = peEntry(on, { kernel, image: F })
      if (from.via !== 'pe-entry') throw new Error('no PE entry')
      // Only the header lies there, too
      on.memory.put(phys(imageBase), { source: kernel.source, at: 0, length: 0x400 }, 'kernel')
      return { on, outcome: start(on, `linux/${era}`, { ...from, imageBase: phys(imageBase) }) }
    }
    expect(firing(era => lying(era, FALSE_BASE).on.notes.facts.decompressedKernel === FALSE_BASE)).toEqual(
      some(/^E[12]/),
    )
    expect(firing(era => entered(era).on.notes.facts.decompressedKernel === F)).toEqual(some(/^E[12]/))
    // Too low a base makes it move, and the copy still carries image_offset: its window would begin below 0
    const low = [...SMALL_MAP.slice(0, 1), free(0x100000, 0x800000), ...SMALL_MAP.slice(1)]
    expect(firing(era => lying(era, 0x200000, bench({ map: low })).outcome.kind === 'unknown')).toEqual(
      some(/^E[12]/),
    )
    // The header is copied from there, too
    const copied = (era: string): unknown =>
      eventsOf(lying(era, FALSE_BASE).on, 'EP-10', 'read')[0]?.range.start
    expect(firing(era => copied(era) === FALSE_BASE + 0x200)).toEqual(some(/^E[0-3]/))
  })

  test("H14 code32_start names another place than the kernel's", () => {
    const lost = firing(era => handed(era, { header: { code32_start: 0x100000 } }).outcome.kind !== 'arrived')
    expect(lost).toEqual(['E0a', 'E0'])
    const high = [...SMALL_MAP, descriptor(1, 2 ** 32, 0x4000000)]
    expect(
      firing(era => handed(era, { image: 2 ** 32 }, bench({ map: high })).outcome.kind !== 'arrived'),
    ).toEqual(['E0a', 'E0'])
    expect(firing(era => broken(handed(era, { header: { code32_start: 0x100000 } }), 'HO-9'))).toEqual([
      'E0a',
      'E0',
    ])
  })

  test('H15 an image of SizeOfImage bytes holds no window for who jumps to startup_64', () => {
    const short = firing((era, kernel) => {
      const size = kernel.image.pe?.optional.SizeOfImage ?? 0
      return broken(
        direct(era, {
          at: 0x2000000 + kernel.image.setupSize,
          initrd: { at: 0x2000000 + size, size: 0x1000 },
        }),
        'HO-4',
      )
    })
    expect(short).toEqual(some(/^E0/, /^E[4-6]/))
  })

  test('H16 the decompressed kernel ends up below LOAD_PHYSICAL_ADDR', () => {
    const map = [free(0x600000, 0x9000000), ...SMALL_MAP.slice(3)]
    const at = (era: string): number =>
      Number(handed(era, {}, bench({ map })).on.notes.facts.decompressedKernel)
    expect(firing(era => at(era) < 0x1000000)).toEqual(['E3a', 'E3', 'E3b', 'E3d', 'E4c', 'E4e', 'E4d'])
  })

  test('H17 a random place is one where a loader left something', () => {
    const left = (): Bench => {
      const on = bench({ map: WIDE, kaslr: 'all' })
      on.memory.make(rangeAt(0x20000000, 0x1000), 'x-loader:log')
      return on
    }
    expect(
      firing(era =>
        direct(era, { commandLine: 'quiet' }, left()).on.notes.doubts.some(doubt => doubt.clause === 'ZO-23'),
      ),
    ).toEqual(rows)
    expect(
      firing(era =>
        direct(era, { commandLine: 'nokaslr' }, left()).on.notes.doubts.some(
          doubt => doubt.clause === 'ZO-23',
        ),
      ),
    ).toEqual([])
    expect(
      firing(era =>
        handed(era, { commandLine: 'quiet' }, bench({ kaslr: 'all' })).on.notes.doubts.some(
          doubt => doubt.clause === 'ZO-23' || doubt.clause === 'EP-35',
        ),
      ),
    ).toEqual([])
  })

  test('H18 the window ends past the end of RAM', () => {
    const ends = (kernel: Kernel): Bench =>
      bench({ map: [free(0x1000, 0x9f000), free(0x100000, 0xf00000 + kernel.image.hdr.init_size - 0x40000)] })
    expect(
      firing(
        (era, kernel) =>
          direct(era, {}, ends(kernel)).outcome.kind === 'arrived' &&
          direct(era, {}, ends(kernel)).on.notes.doubts.length === 0,
      ),
    ).toEqual([])
    expect(firing(era => direct(era).outcome.kind === 'arrived')).toEqual(rows)
  })

  test('H19 a memory map that grows by nine descriptors no longer fits into the buffer', () => {
    const with8 = rows.filter(era => !['E4i', 'E5', 'E6'].includes(era))
    const fails = (addedOnExit: number) =>
      firing(era => {
        const { outcome } = handed(era, {}, on => ({
          ...on,
          machine: { ...on.machine, firmware: { ...manyDescriptors(on.machine.firmware), addedOnExit } },
        }))
        return (
          outcome.kind === 'refused' &&
          outcome.refusal.status === 'EFI_BUFFER_TOO_SMALL' &&
          outcome.refusal.message === 'exit_boot() failed!'
        )
      })
    expect(fails(8)).toEqual([])
    expect(fails(9)).toEqual(with8)
    expect(fails(32)).toEqual(with8)
    expect(fails(33)).toEqual(rows)
  })

  test('H20 a firmware that forbids making code fails kernels that decompress themselves under it', () => {
    const refused = firing(era => {
      const { outcome } = handed(era, {}, on => ({
        ...on,
        machine: { ...on.machine, firmware: { ...on.machine.firmware, memoryAttributes: 'refused' } },
      }))
      return outcome.kind === 'refused' && outcome.refusal.clause === 'EP-40'
    })
    expect(refused).toEqual(some(DECOMPRESSES))
    expect(
      firing((_, kernel) => ((kernel.image.pe?.optional.DllCharacteristics ?? 0) & 0x100) !== 0),
    ).toEqual(some(/^E[4-6]/))
  })

  test('H21 a PE loader that wants whole pages refuses older files', () => {
    const refused = (kernel: Kernel, name: string): boolean => {
      const found = imageLoaderNamed(name).check(kernel.source)
      return 'status' in found && /SectionAlignment/.test(found.why)
    }
    expect(firing((_, kernel) => refused(kernel, 'patina'))).toEqual(some(/^E[0-3]/))
    expect(firing((_, kernel) => refused(kernel, 'edk2-2022.11'))).toEqual([])
    expect(firing((_, kernel) => (kernel.image.pe?.optional.SectionAlignment ?? 0) < 4096)).toEqual(
      some(/^E[0-3]/),
    )
  })

  test('H22 a header that was copied up to 0x260 only has no init_size', () => {
    const cut = { init_size: 0, handover_offset: 0 }
    expect(firing(era => direct(era, { header: cut }).outcome.kind !== 'arrived')).toEqual(rows)
    expect(firing(era => handed(era, { header: cut }).outcome.kind !== 'arrived')).toEqual(some(MOVES))
  })

  test('H23 a sentinel that is not 0 cuts addresses above 4 GiB', () => {
    const high = (): Bench => bench({ map: [...SMALL_MAP, descriptor(2, 2 ** 32 + 0x10000000, 0x1000000)] })
    const cut = (bytes: Readonly<Record<number, number>>) =>
      firing(
        era =>
          handed(era, { initrd: { at: 2 ** 32 + 0x10000000, size: 0x1000 }, bytes }, high()).on.notes.facts
            .ramdiskImage === 0x10000000,
      )
    expect(cut({ 0xc0: 1, 0x1ef: 0xff })).toEqual(rows)
    expect(cut({ 0xc0: 1 })).toEqual([])
  })

  test('H24 an initrd on the next page after a kernel: gone, untouched, or its beginning lost', () => {
    const damage = (era: string, aligned: boolean): number => {
      const kernel = sampleOf(era)
      const image = aligned ? 0x18200000 - kernel.image.setupSize : F
      const spans =
        handed(era, { image, initrd: { at: image + behind(kernel), size: 0x100000 } }).on.notes.facts
          .initrdDamage ?? []
      return spans.reduce((sum, { from, to }) => sum + to - from, 0)
    }
    expect(firing(era => damage(era, false) > 0)).toEqual(some(DECOMPRESSES))
    expect(firing(era => damage(era, true) === 0x100000)).toEqual(['E1'])
    expect(firing(era => damage(era, true) === 0)).toEqual(some(/^E0/, /^E2/))
  })
})

describe('boundary cases', () => {
  const E2 = kernelNamed('debian-5.10.223-cloud')
  const inWindow = (era: string, at: number) => {
    const ran = handed(era, { initrd: { at, size: 0x1000 } })
    return initrdHit(ran)
  }

  test('one byte above 16 MiB goes to the next alignment', () => {
    const { on } = direct('E2', { at: 0x1000001 })
    expect(on.notes.facts.decompressedKernel).toBe(0x1200000)
    expect(eventsOf(on, 'ZO-6', 'copy')).toMatchObject([
      { range: { start: 0x1200000 + 0x2d5e000 - 0xbd5000 } },
    ])
  })

  test('2 GiB at the 64-bit entry of an old kernel stays', () => {
    expect(
      direct('E0', { at: 0x80000000 }, bench({ map: [...WIDE, free(0x80000000, 0x20000000)] })).outcome,
    ).toMatchObject({ at: { kernel: 0x80000000 } })
  })

  test('2 GiB at the 32-bit entry of an old kernel counts as below LOAD_PHYSICAL_ADDR', () => {
    const tables = (era: string): unknown =>
      eventsOf(
        direct(
          era,
          { at: 0x80000000, via: 'legacy-32' },
          bench({ map: [...WIDE, free(0x80000000, 0x20000000)] }),
        ).on,
        'ZO-21',
        'zero',
      )[0]?.range.start
    const above = (name: string): number =>
      geometry(kernelNamed(name)).initSize -
      geometry(kernelNamed(name)).end +
      geometry(kernelNamed(name)).pgtable
    expect(tables('E0')).toBe(0x1000000 + above('derived-5.6'))
    expect(tables('E1')).toBe(0x80000000 + above('derived-5.7-rc1'))
  })

  test('a kernel_alignment of 0 at the 32-bit entry goes to LOAD_PHYSICAL_ADDR first', () => {
    const { on } = direct(
      'E2',
      { via: 'legacy-32', header: { kernel_alignment: 0 } },
      bench({ map: [...WIDE, free(2 ** 32, 0x20000000)] }),
    )
    expect(eventsOf(on, 'ZO-21', 'zero')).toMatchObject([
      { range: { start: 0x1000000 + 0x2d5e000 - 0xbd5000 + 0xbb4000 } },
    ])
    expect(on.notes.facts.decompressedKernel).toBe(2 ** 32)
  })

  test('an init_size of 0 wraps at 32 bits at the 64-bit entry and is refused after a handover', () => {
    expect(direct('E2', { header: { init_size: 0 } }).outcome.kind).not.toBe('arrived')
    expect(handed('E2', { header: { init_size: 0 } }).outcome).toMatchObject({
      kind: 'refused',
      refusal: { status: 'EFI_INVALID_PARAMETER' },
    })
  })

  test('an init_size one page short is a doubt, the true one is none', () => {
    const doubts = (init_size: number): string[] =>
      direct('E2', { header: { init_size } }).on.notes.doubts.map(doubt => doubt.clause)
    expect([doubts(0x2d5d000), doubts(0x2d5e000)]).toEqual([['ZO-11'], []])
  })

  test('an aligned image opens its window at its setup block', () => {
    expect(entered('E2').on.notes.facts).toMatchObject({ compressedImage: F + 0x3c00, decompressedKernel: F })
  })

  test('an aligned .linux stays under 5.7-rc1, any other moves', () => {
    expect(handed('E1', { image: 0x18200000 - 0x3c00 }).on.notes.facts.compressedImage).toBe(0x18200000)
    expect(handed('E1', { image: 0x18200000 }).on.notes.facts.compressedImage).toBe(0x1600000)
  })

  test('an initrd at the end of .bss is safe, one byte below is not', () => {
    const end = F + 0x5000 + 0xb69078
    expect([inWindow('E5', end), inWindow('E5', end - 1)]).toEqual([false, true])
  })

  test('a sentinel of 0xff wipes ext_ramdisk_image', () => {
    expect(
      handed('E2', { initrd: { at: 0x1b000000, size: 0x1000 }, bytes: { 0x1ef: 0xff, 0xc0: 1 } }).on.notes
        .facts.ramdiskImage,
    ).toBe(0x1b000000)
  })

  test('free RAM below LOAD_PHYSICAL_ADDR only: refused, or used all the same', () => {
    const map = [
      free(0x1000, 0x9f000),
      free(0x100000, 0xf00000),
      ...SMALL_MAP.slice(3, 4),
      free(0x1c000000, 0x100000),
      ...SMALL_MAP.slice(5),
    ]
    for (const era of ['E0', 'E2', 'E5'])
      expect([era, handed(era, { initrd: null }, bench({ map })).outcome.kind]).toEqual([era, 'refused'])
    const small = { ...geometry(kernelNamed('debian-6.12.107-cloud')), outputLength: 0x600000 }
    const on = bench({ map })
    const from = handover(on, { kernel: kernelNamed('debian-6.12.107-cloud'), image: F, initrd: null })
    startKernel(eraNamed('linux/E3a'), on.machine, from, small)
    expect(on.notes.facts.decompressedKernel).toBe(0x200000)
  })

  test('exactly one slot is taken for certain, one byte less is none', () => {
    const one = (size: number): Bench =>
      bench({
        kaslr: 'command-line',
        map: [free(0x1000, 0x9f000), free(0x1600000, size), ...SMALL_MAP.slice(3, 4), ...SMALL_MAP.slice(5)],
      })
    expect(
      handed('E5', { initrd: null, commandLine: 'quiet' }, one(0x3800000)).on.notes.facts.decompressedKernel,
    ).toBe(0x1600000)
    expect(handed('E5', { initrd: null, commandLine: 'quiet' }, one(0x37ff000)).outcome.kind).toBe('refused')
  })

  test('a kernel_alignment of 0 goes to 4 GiB at the 64-bit entry', () => {
    const { on } = direct(
      'E2',
      { header: { kernel_alignment: 0 } },
      bench({ map: [...WIDE, free(2 ** 32, 0x20000000)] }),
    )
    expect(on.notes.facts.decompressedKernel).toBe(2 ** 32)
    expect(E2.image.hdr.kernel_alignment).toBe(0x200000)
    expect(() => rangeAt(phys(2 ** 32), 1)).not.toThrow(Stop)
  })
})
