/**
 * Which rows of the era tables does this image behave like? Candidates with evidence; never "the nearest".
 */
import { UsageError } from '../bytes/errors.ts'
import { madeOf } from '../bytes/fixed-source.ts'
import type { ByteSource } from '../bytes/source.ts'
import { IMAGE_FILE_MACHINE_I386 } from '../image/pe.ts'
import { PROTOCOL_2_11 } from '../image/x86/boot-params.ts'
import { parseBzImage, type BzImage } from '../image/x86/bzimage.ts'
import { readLanzastubVersion, thinFiles } from '../image/lanzastub.ts'
import { readStubVersion, type StubVersion } from '../image/sdmagic.ts'
import type { UkiView } from '../image/uki.ts'
import { kernelEras, type KernelEra, type KernelShape } from '../kernel/kernels.ts'
import type { Gap } from '../machine/machine.ts'
import type { EraInfo } from '../machine/model.ts'
import { stubEras } from '../stub/eras.ts'
import { lanzabooteEras } from '../stub/lanzaboote/eras.ts'
import type { LanzabooteEra } from '../stub/lanzaboote/model.ts'
import type { StubEra } from '../stub/model.ts'
import { erasFor, erasOfBranch, isVersion, kernelRelease } from '../releases/version.ts'

/** certain: one candidate. several: more than one fits. given: the user said so. none: outside the tables. */
export type Certainty = 'certain' | 'several' | 'given' | 'none'

/** A row that fits, or the reason why none does. */
export interface Candidate<E> {
  readonly era: E | null
  /** Why there is no row; null when there is one. */
  readonly gap: Gap | null
  readonly version: string | null
  readonly evidence: readonly string[]
  readonly certainty: Certainty
}

/** A row of one of the tables of stubs. */
export type AnyStubEra = StubEra | LanzabooteEra

const STUB_ROWS: readonly AnyStubEra[] = [...Object.values(stubEras), ...lanzabooteEras]

/**
 * Rows for the stub of this UKI: by its own version text, or as the user says (a version, an era id, or a row
 * of their own).
 */
export function stubCandidates(uki: UkiView, choice?: string | AnyStubEra): readonly Candidate<AnyStubEra>[] {
  if (choice === undefined) return madeOf(uki, identifyStub)
  if (typeof choice === 'object') return [given(choice)]
  if (uki.pe.coff.Machine === IMAGE_FILE_MACHINE_I386) return [ia32(choice)]
  return chosen(
    'stub',
    choice,
    STUB_ROWS.filter(era => era.id === choice || fitsSections(era, uki)),
    'ST-1',
  )
}

function identifyStub(uki: UkiView): readonly Candidate<AnyStubEra>[] {
  if (uki.pe.coff.Machine === IMAGE_FILE_MACHINE_I386) return [ia32(readStubVersion(uki)?.version)]
  const found = readStubVersion(uki)
  const lanzastub = found === null ? readLanzastubVersion(uki) : null
  if (lanzastub !== null || (found === null && thinFiles(uki) !== null))
    return lanzabooteCandidates(uki, lanzastub)
  if (found === null)
    return [
      none(null, [], {
        clause: 'ST-1',
        why: 'no version text of systemd-stub or lanzaboote in the file, so it is not known how its stub behaves; say which with --stub, or run every row with --stub systemd-stub',
      }),
    ]
  return byVersion(
    'systemd-stub',
    found.version,
    [`${found.text} in ${found.where}`],
    Object.values(stubEras),
    'ST-1',
  )
}

/** Rows of lanzaboote fit images whose sections have the names that they look for. */
function fitsSections(era: AnyStubEra, uki: UkiView): boolean {
  return !('names' in era) || era.names === (thinFiles(uki)?.names ?? 'embedded')
}

/** What the stub of release 0.4.0 calls itself. */
const CALLS_ITSELF_0_3 = '0.3.0'

/** By the name that the stub carries since 0.4, else every row whose images have such sections. */
function lanzabooteCandidates(uki: UkiView, found: StubVersion | null): Candidate<LanzabooteEra>[] {
  const thin = thinFiles(uki)
  const fitting = lanzabooteEras.filter(era => fitsSections(era, uki))
  const shape =
    thin === null
      ? 'kernel and initrd lie in the image itself'
      : `sections ${thin.kernel.section} and ${thin.initrd.section} name files on the ESP`
  if (found !== null)
    return byVersion(
      'lanzaboote',
      found.version === CALLS_ITSELF_0_3 ? '0.4.0' : found.version,
      [`${found.text} in ${found.where}`, shape],
      fitting,
      'LZ-21',
    )
  const said = ['no version text of lanzaboote', shape, 'every row whose images have such sections is run']
  return fitting.map(era => ({
    era,
    gap: null,
    version: null,
    evidence: said,
    certainty: fitting.length === 1 ? 'certain' : 'several',
  }))
}

/** An ia32 stub, and what its row knows of such builds. */
function ia32(choice: string | undefined): Candidate<StubEra> {
  const rows =
    choice === undefined
      ? []
      : Object.values(stubEras).filter(
          era => era.id === choice || (isVersion(choice) && erasFor(choice, [era]).length > 0),
        )
  const known = [...new Set(rows.flatMap(era => era.behaviour.ia32 ?? []))]
  return none(null, ['Machine 0x14c in the PE header'], {
    clause: 'ST-86',
    why: ['an ia32 stub, on ia32 firmware or in mixed mode, is not modelled', ...known].join('; '),
  })
}

/**
 * Rows for the kernel in these bytes: by its version string, else by the shape of its headers, or as the user
 * says.
 */
export function kernelCandidates(
  source: ByteSource,
  choice?: string | KernelEra,
): readonly Candidate<KernelEra>[] {
  if (choice === undefined) return madeOf(source, identifyKernel)
  return typeof choice === 'object' ? [given(choice)] : chosen('kernel', choice, kernelEras, 'EP-1')
}

function identifyKernel(source: ByteSource): readonly Candidate<KernelEra>[] {
  const { bzimage, problems } = parseBzImage(source)
  if (bzimage === null)
    return [
      none(null, [], {
        clause: 'EP-1',
        why: `the payload is no x86 bzImage: ${problems.at(-1)?.what ?? 'no setup header'}`,
      }),
    ]
  const evidence = shapeOf(bzimage)
  const named = bzimage.version === null ? null : kernelRelease(bzimage.version)
  if (named === null) return byShape(bzimage, evidence)
  const { release, exact } = named
  const said = [`version string ${JSON.stringify(bzimage.version)} names linux ${release}`, ...evidence]
  if (exact) return byVersion('linux', release, said, kernelEras, 'EP-1')
  const rows = erasOfBranch(release, kernelEras)
  const unsure = [
    ...said,
    'the stable level of this branch is not named, so every row that a release of the branch may follow is run',
  ]
  if (rows.length === 0) return byVersion('linux', release, said, kernelEras, 'EP-1')
  return rows.map(era => ({
    era,
    gap: null,
    version: release,
    evidence: unsure,
    certainty: rows.length === 1 ? 'certain' : 'several',
  }))
}

/** Without a version string every row whose files look like this one is run. */
function byShape(kernel: BzImage, evidence: readonly string[]): Candidate<KernelEra>[] {
  const shapes = kernelShapes(kernel)
  const rows = kernelEras.filter(era => era.shapes.some(shape => shapes.includes(shape)))
  if (rows.length === 0)
    return [
      none(null, evidence, {
        clause: 'EP-1',
        why: 'the kernel carries no version string, and its headers look like those of no modelled row; say which with --kernel',
      }),
    ]
  const said = ['no version string', ...evidence, 'every row whose files look so is run']
  return rows.map(era => ({
    era,
    gap: null,
    version: null,
    evidence: said,
    certainty: rows.length === 1 ? 'certain' : 'several',
  }))
}

/** Place of `efi64_stub_entry` while it lay in front of the payload, as handover_offset has it. */
const FIXED_HANDOVER_OFFSET = 0x190

/**
 * Shapes that the headers of this file may be; without a handover entry two of them look alike. Empty without
 * a PE header.
 */
export function kernelShapes({ pe, hdr, protocol }: BzImage): KernelShape[] {
  if (pe === null || protocol < PROTOCOL_2_11) return []
  const { SectionAlignment, SizeOfImage, ImageBase, MajorImageVersion } = pe.optional
  if (pe.sections.some(({ name }) => name === '.bss') && ImageBase === 0n && SectionAlignment === 0x20)
    return ['bss-section']
  if (SectionAlignment === 0x1000 && SizeOfImage < hdr.init_size)
    return [MajorImageVersion >= 3 ? 'tight-3' : 'tight']
  if (SizeOfImage !== hdr.init_size + hdr.kernel_alignment) return []
  if (hdr.handover_offset === 0) return ['window-fixed-entry', 'window']
  return [hdr.handover_offset === FIXED_HANDOVER_OFFSET ? 'window-fixed-entry' : 'window']
}

/** What the headers of a kernel say about its age, in words. */
export function shapeOf(kernel: BzImage): string[] {
  const { pe, hdr } = kernel
  if (pe === null) return ['no PE header']
  const { optional } = pe
  return [
    `boot protocol ${String(hdr.version >> 8)}.${String(hdr.version & 0xff)}`,
    optional.SizeOfImage >= hdr.init_size
      ? 'SizeOfImage covers init_size (before 6.7)'
      : 'SizeOfImage does not cover init_size (6.7 and later)',
    `MajorImageVersion ${String(optional.MajorImageVersion)}`,
    hdr.handover_offset === 0
      ? 'no EFI handover entry'
      : `handover_offset 0x${hdr.handover_offset.toString(16)}`,
  ]
}

function given<E>(era: E): Candidate<E> {
  return { era, gap: null, version: null, evidence: ['given by the caller'], certainty: 'given' }
}

function none(version: string | null, evidence: readonly string[], gap: Gap): Candidate<never> {
  return { era: null, gap, version, evidence, certainty: 'none' }
}

function chosen<E extends EraInfo>(
  what: string,
  choice: string,
  eras: readonly E[],
  clause: Gap['clause'],
): Candidate<E>[] {
  const family = eras.filter(row => row.id.startsWith(`${choice}/`))
  if (family.length > 1 && !eras.some(row => row.id === choice))
    return family.map(era => ({
      era,
      gap: null,
      version: null,
      evidence: [`given: --${what} ${choice}, so every row of it is run`],
      certainty: 'several',
    }))
  const era = eras.find(row => row.id === choice)
  if (era !== undefined)
    return [{ era, gap: null, version: null, evidence: [`given: --${what} ${choice}`], certainty: 'given' }]
  if (!isVersion(choice))
    throw new UsageError(
      `--${what} ${choice}: neither a version nor an era such as ${eras[0]?.id ?? what}; stubsim eras lists them`,
    )
  return byVersion(what, choice, [`given: --${what} ${choice}`], eras, clause).map(candidate =>
    candidate.era === null ? candidate : { ...candidate, certainty: 'given' },
  )
}

function byVersion<E extends EraInfo>(
  what: string,
  version: string,
  evidence: readonly string[],
  eras: readonly E[],
  clause: Gap['clause'],
): Candidate<E>[] {
  const fitting = erasFor(version, eras)
  if (fitting.length === 0)
    return [
      none(version, evidence, {
        clause,
        why: `${what} ${version} is in none of the modelled rows; stubsim eras lists them`,
      }),
    ]
  return fitting.map(era => ({
    era,
    gap: null,
    version,
    evidence,
    certainty: fitting.length === 1 ? 'certain' : 'several',
  }))
}
