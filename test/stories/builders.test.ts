/**
 * What every builder makes of every stub with ordinary kernels: no finding of any class but those in a list,
 * each with the reason why it is true.
 */
import { expect, test } from 'vitest'
import { prepareMachine } from '../../src/boot/prepare.ts'
import { buildMachine } from '../../src/boot/machine.ts'
import { check, type CheckInput } from '../../src/check.ts'
import { LAYOUTS, type LayoutId } from '../../src/image/layouts/table.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { uki, type UkiOptions } from '../../src/vitest/builders.ts'
import { lanzaboote } from '../../src/vitest/lanzaboote.ts'
import { MIB } from '../support/bytes.ts'
import { share } from '../support/depth.ts'

/** One image: who laid it out, over which stub, with which kernel. */
interface Case {
  readonly builder: string
  readonly stub: string
  readonly kernel: string
}

/** A finding or a gap that is true: `rule`, or the clause of a gap. */
interface Justified {
  readonly what: string
  readonly where: (one: Case) => boolean
  readonly why: string
}

const FIXED: readonly string[] = LAYOUTS.flatMap(({ id, kind }) => (kind === 'fixed' ? [id] : []))
const MERGES_SBAT = ['ukify-254', 'ukify-257.0', 'ukify-257.3']
const KERNEL_LAST = ['ukify-253', 'ukify-254']
/** Their .initrd comes on the next page after .linux. */
const PACKED = ['dracut-060', 'mkinitcpio-35', 'mkinitcpio-36', 'mkinitcpio-39', 'ukify-257.3']
/** They take the SectionAlignment of the stub. */
const BY_THE_STUB = ['dracut-060', 'mkinitcpio-36', 'mkinitcpio-39', ...MERGES_SBAT, 'arch-wiki']
const NO_ALIGNMENT = ['mkinitcpio-35', 'lzbt-0.1', 'lzbt-0.4', 'lanzaboote fat']
/** They clear their .bss where they were entered; before, kernels move away first. */
const clearsBss = ({ kernel }: Case): boolean => !kernel.startsWith('5.')
const inPlace = ({ stub }: Case): boolean => Number.parseInt(stub, 10) < 252
const over252 = ({ stub }: Case): boolean => [251, 252, 253].includes(Number.parseInt(stub, 10))

const JUSTIFIED: readonly Justified[] = [
  {
    what: 'clobbered-object',
    where: one => inPlace(one) && clearsBss(one) && PACKED.includes(one.builder),
    why: 'the stub enters the kernel in place, which clears its .bss over the initrd on the next page',
  },
  {
    what: 'bss-not-cleared',
    where: one =>
      inPlace(one) && clearsBss(one) && [...PACKED, ...KERNEL_LAST, 'arch-wiki'].includes(one.builder),
    why: 'the same memory is another section, or lies beyond the image',
  },
  {
    what: 'write-outside-allocation',
    where: one => inPlace(one) && clearsBss(one) && [...KERNEL_LAST, 'arch-wiki'].includes(one.builder),
    why: 'the kernel is the last section, and clears its .bss in memory that nobody allocated',
  },
  {
    what: 'FW-56',
    where: one => inPlace(one) && clearsBss(one) && [...KERNEL_LAST, 'arch-wiki'].includes(one.builder),
    why: 'the firmware has something in that memory',
  },
  {
    what: 'no-room-for-init-size',
    where: one =>
      inPlace(one) &&
      (clearsBss(one)
        ? [...PACKED, ...KERNEL_LAST, 'arch-wiki'].includes(one.builder)
        : [...KERNEL_LAST, 'arch-wiki'].includes(one.builder) && one.kernel === '5.10.223'),
    why: 'what the advice is about, before it happens; 5.10 only reads beyond the image, see EP-16',
  },
  {
    what: 'EP-16',
    where: one =>
      inPlace(one) && [...KERNEL_LAST, 'arch-wiki'].includes(one.builder) && one.kernel === '5.10.223',
    why: '5.10 copies init_size bytes, and these reach from the end of the image beyond RAM',
  },
  {
    what: 'section-unaligned',
    where: one => NO_ALIGNMENT.includes(one.builder),
    why: 'this release of the builder puts every section where the one before it ends',
  },
  {
    what: 'section-unaligned',
    where: one => over252(one) && BY_THE_STUB.includes(one.builder),
    why: 'these stubs declare a SectionAlignment of 512, and the builder takes it',
  },
  {
    what: 'sections-overlap',
    where: one => over252(one) && MERGES_SBAT.includes(one.builder),
    why: "the merged .sbat is longer than the 256 bytes before the stub's .sdmagic",
  },
  {
    what: 'sbat-merged-over-sdmagic',
    where: one => over252(one) && MERGES_SBAT.includes(one.builder),
    why: 'the same, and what to do about it',
  },
  {
    what: 'payload-virtual-size-mismatch',
    where: ({ builder }) => builder === 'ukify-257.0',
    why: 'ukify 257 to 257.2 gives .linux the size of the kernel in memory, so zeros are measured',
  },
  {
    what: 'sections-overlap',
    where: ({ builder, stub }) => FIXED.includes(builder) && Number.parseInt(stub, 10) >= 258,
    why: '.rodata of the stub reaches beyond 0x20000',
  },
  {
    what: 'stub-grown-over-payload',
    where: ({ builder, stub }) => FIXED.includes(builder) && Number.parseInt(stub, 10) >= 258,
    why: 'the same, and where the addresses come from',
  },
  {
    what: 'setup-header-wrong',
    where: ({ stub }) => Number.parseInt(stub, 10) <= 240,
    why: 'stubs up to 240 copy the head of the kernel file into boot_params, with a sentinel that is not 0',
  },
  {
    what: 'ST-2',
    where: ({ builder, stub }) => FIXED.includes(builder) && Number.parseInt(stub, 10) >= 258,
    why: 'whether the stub needs the lost bytes of .rodata is not known',
  },
]

const MACHINE = prepareMachine(buildMachine({ profile: 'ovmf', ram: 512 * MIB }))
const used = new Set<Justified>()

/** What is said about a boot, and is in no entry of the list. */
function unjustified(one: Case, input: Omit<CheckInput, 'machine' | 'kaslr'>): string[] {
  const { report } = check({ ...input, machine: MACHINE, kaslr: 'off' })
  const said = [
    ...[...report.findings, ...report.advice].map(({ rule }) => rule),
    ...report.gaps.map(({ clause }) => clause as string),
    ...(report.outcome.kind === 'refused' ? [`refused ${report.outcome.refusal.clause}`] : []),
    ...(report.outcome.kind === 'undefined' ? ['undefined'] : []),
  ]
  return said
    .filter(what => {
      const entries = JUSTIFIED.filter(entry => entry.what === what && entry.where(one))
      entries.forEach(entry => used.add(entry))
      return entries.length === 0
    })
    .map(what => `${one.builder} over ${one.stub} with ${one.kernel}: ${what}`)
}

const KERNELS = ['5.10.223-cloud', '5.10.223', '6.1.170-cloud', '6.12.107-cloud', '7.2.13-cloud'] as const
const BUILDERS = LAYOUTS.map(({ id }) => id).filter(id => !id.startsWith('lzbt-'))
const imageOf = (options: UkiOptions): CheckInput['image'] => ({ name: 'uki', source: uki(options) })

/** The recipe of the Arch wiki: each at the next multiple after the one before it, .linux last. */
function archWiki(stub: keyof typeof STUB_FACTS, kernel: string): UkiOptions {
  const { sections, optional } = STUB_FACTS[stub]
  const [, at = 0, size = 0] = sections.at(-1) ?? []
  const step = optional.SectionAlignment
  const next = (end: number): number => end + step - (end % step)
  const osrel = next(at + size)
  const cmdline = next(osrel + 21)
  const initrd = next(cmdline + 21)
  const linux = next(initrd + 8 * MIB)
  return {
    stub,
    kernel,
    initrd: '8M',
    order: ['.osrel', '.cmdline', '.initrd', '.linux'],
    at: { '.osrel': osrel, '.cmdline': cmdline, '.initrd': initrd, '.linux': linux },
  }
}

test.each(Object.keys(STUB_FACTS) as (keyof typeof STUB_FACTS)[])(
  'objcopy, dracut, mkinitcpio and ukify over stub %s: nothing is said that is not true',
  stub => {
    const wrong = [...BUILDERS, 'arch-wiki' as const].flatMap((builder, i) =>
      share(KERNELS, 3, i + Number.parseInt(stub, 10)).flatMap(kernel =>
        unjustified(
          { builder, stub, kernel },
          {
            image: imageOf(
              builder === 'arch-wiki' ? archWiki(stub, kernel) : { stub, kernel, as: builder, initrd: '8M' },
            ),
          },
        ),
      ),
    )
    expect(wrong).toEqual([])
  },
)

test('lanzaboote of every release, thin and fat: nothing is said that is not true', () => {
  const wrong = (['0.1.0', '0.3.0', '0.4.1', '0.4.2', '1.1.0'] as const).flatMap(release =>
    [false, ...(release === '0.4.1' || release === '0.4.2' ? [true] : [])].flatMap(fat => {
      const { image, ...files } = lanzaboote({ release, fat, kernel: '6.12.107-cloud' })
      const thin = release < '0.4' ? 'lzbt-0.1' : 'lzbt-0.4'
      const builder = fat ? 'lanzaboote fat' : thin
      return unjustified(
        { builder, stub: `lanzaboote ${release}`, kernel: '6.12.107-cloud' },
        { image: { name: 'uki', source: image }, ...files },
      )
    }),
  )
  expect(wrong).toEqual([])
})

test('every release of the stub that differs, over the nearest stub that was measured', () => {
  /** The newest that was measured up to a release. */
  const factsFor = (release: string): keyof typeof STUB_FACTS => {
    const major = Number.parseInt(release, 10)
    if (major < 251) return '247.3'
    if (major < 254) return '252.39'
    if (major < 257) return '254.26'
    return major < 258 ? '257.13' : '262.1'
  }
  const releases = Object.values(stubEras).flatMap(era => era.spans.map(({ from }) => from))
  const kernel = '6.12.107-cloud'
  const wrong = (['dracut-050', 'ukify-257.3'] satisfies LayoutId[]).flatMap((builder, i) =>
    share(releases, 2, i).flatMap(release => {
      const image = imageOf({ stub: factsFor(release), kernel, as: builder, initrd: '8M' })
      return unjustified({ builder, stub: release, kernel }, { image, stub: release })
    }),
  )
  expect(wrong).toEqual([])
})

test('every entry of the list was needed', () => {
  expect(JUSTIFIED.filter(entry => !used.has(entry)).map(({ what, why }) => `${what}: ${why}`)).toEqual([])
})
