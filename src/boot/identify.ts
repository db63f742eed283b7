/** Identifies the eras whose behaviour this image may have: candidates with evidence, never "the nearest". */
import { UsageError } from '../bytes/errors.ts'
import { madeOf } from '../bytes/fixed-source.ts'
import type { ByteSource } from '../bytes/source.ts'
import { IMAGE_FILE_MACHINE_I386 } from '../image/pe.ts'
import { PROTOCOL_2_11 } from '../image/x86/boot-params.ts'
import { parseBzImage, type BzImage } from '../image/x86/bzimage.ts'
import { readLanzastubVersion, thinFiles } from '../image/lanzastub.ts'
import { readStubIdentity, readStubVersion, type StubVersion } from '../image/sdmagic.ts'
import type { UkiView } from '../image/uki.ts'
import { kernelTable, type KernelEra, type KernelShape } from '../kernel/kernels.ts'
import type { Gap } from '../machine/machine.ts'
import type { EraInfo } from '../machine/model.ts'
import { stubTable } from '../stub/eras.ts'
import { lanzabooteTable } from '../stub/lanzaboote/eras.ts'
import type { LanzabooteEra } from '../stub/lanzaboote/model.ts'
import type { StubEra } from '../stub/model.ts'
import { erasFor, erasOfBranch, isVersion, kernelRelease } from '../releases/version.ts'

/**
 * certain: one candidate. several: more than one fits. given: chosen by the user. none: outside the tables.
 */
export type Certainty = 'certain' | 'several' | 'given' | 'none'

/** An era that fits, or the reason why none does. */
export interface Candidate<E> {
  readonly era: E | null
  /** Why there is no era; null if there is one. */
  readonly gap: Gap | null
  readonly version: string | null
  readonly evidence: readonly string[]
  readonly certainty: Certainty
}

/** An era of systemd-stub or lanzaboote. */
export type AnyStubEra = StubEra | LanzabooteEra

/**
 * Eras for the stub of this UKI: by its version text, or as chosen by the user (a version, an era id, or a
 * model of their own).
 */
export function stubCandidates(uki: UkiView, choice?: string | AnyStubEra): readonly Candidate<AnyStubEra>[] {
  if (choice === undefined) return madeOf(uki, identifyStub)
  if (typeof choice === 'object') return [given(choice)]
  if (uki.pe.coff.Machine === IMAGE_FILE_MACHINE_I386) return [ia32(choice)]
  const lanzaboote = lanzabooteTable().filter(era => era.id === choice || fitsSections(era, uki))
  const rows = [...stubTable.rows(), ...lanzaboote]
  return chosen('stub', choice, rows, 'ST-1').map(candidate =>
    made(candidate, row => lanzaboote.find(era => era === row) ?? stubTable.era(row)),
  )
}

function identifyStub(uki: UkiView): readonly Candidate<AnyStubEra>[] {
  if (uki.pe.coff.Machine === IMAGE_FILE_MACHINE_I386) return [ia32(readStubVersion(uki)?.version)]
  const found = readStubVersion(uki)
  const lanzastub = found === null ? readLanzastubVersion(uki) : null
  if (lanzastub !== null || (found === null && thinFiles(uki) !== null))
    return lanzabooteCandidates(uki, lanzastub)
  if (found === null) {
    const other = otherProgram(uki)
    if (other !== null)
      return [none(null, [], { clause: 'ST-1', why: `${other}, not a unified kernel image` })]
    return [
      none(null, [], {
        clause: 'ST-1',
        why:
          'the file contains no version text of systemd-stub or lanzaboote, so the behaviour ' +
          'of its stub is unknown; name it with --stub, or run every era with --stub ' +
          'systemd-stub',
      }),
    ]
  }
  return byVersion(
    'systemd-stub',
    found.version,
    [`${found.text} in ${found.where}`],
    stubTable.rows(),
    'ST-1',
  ).map(candidate => made(candidate, stubTable.era))
}

/** The kind of a PE file that is not a UKI; null if it may be one. */
function otherProgram(uki: UkiView): string | null {
  const { identity } = readStubIdentity(uki)
  if (identity !== null) return `the file is ${identity.product} ${identity.version}`
  if (uki.sections.some(({ section }) => section.name === '.linux')) return null
  return parseBzImage(uki.pe.source).bzimage === null
    ? 'the file is an EFI program without a .linux section'
    : 'the file is a kernel without a stub (name what starts it with --boot-loader, such as efi/start-image)'
}

/** Eras of lanzaboote whose section names are those of the image. */
function fitsSections(era: LanzabooteEra, uki: UkiView): boolean {
  return era.names === (thinFiles(uki)?.names ?? 'embedded')
}

/** The version text of the stub of release 0.4.0. */
const CALLS_ITSELF_0_3 = '0.3.0'

/** By the stub's version text (since 0.4), otherwise every era whose images have these sections. */
function lanzabooteCandidates(uki: UkiView, found: StubVersion | null): Candidate<LanzabooteEra>[] {
  const thin = thinFiles(uki)
  const fitting = lanzabooteTable().filter(era => fitsSections(era, uki))
  const shape =
    thin === null
      ? 'kernel and initrd are embedded in the image'
      : `sections ${thin.kernel.section} and ${thin.initrd.section} name files on the ESP`
  if (found !== null)
    return byVersion(
      'lanzaboote',
      found.version === CALLS_ITSELF_0_3 ? '0.4.0' : found.version,
      [`${found.text} in ${found.where}`, shape],
      fitting,
      'LZ-21',
    )
  const said = ['no version text of lanzaboote', shape, 'every era whose images have these sections is run']
  return fitting.map(era => ({
    era,
    gap: null,
    version: null,
    evidence: said,
    certainty: fitting.length === 1 ? 'certain' : 'several',
  }))
}

/** An ia32 stub, and the known fault of such builds. */
function ia32(choice: string | undefined): Candidate<StubEra> {
  const rows =
    choice === undefined
      ? []
      : stubTable
          .rows()
          .filter(row => row.id === choice || (isVersion(choice) && erasFor(choice, [row]).length > 0))
  const known = [...new Set(rows.flatMap(row => stubTable.era(row).behaviour.ia32 ?? []))]
  return none(null, ['Machine 0x14c in the PE header'], {
    clause: 'ST-86',
    why: ['an ia32 stub, on ia32 firmware or in mixed mode, is not modelled', ...known].join('; '),
  })
}

/**
 * Eras for the kernel in these bytes: by its version string, otherwise by the shape of its headers, or as
 * chosen by the user.
 */
export function kernelCandidates(
  source: ByteSource,
  choice?: string | KernelEra,
): readonly Candidate<KernelEra>[] {
  if (choice === undefined) return madeOf(source, identifyKernel)
  if (typeof choice === 'object') return [given(choice)]
  return chosen('kernel', choice, kernelTable.rows(), 'EP-1').map(madeKernel)
}

function identifyKernel(source: ByteSource): readonly Candidate<KernelEra>[] {
  const { bzimage, problems } = parseBzImage(source)
  if (bzimage === null)
    return [
      none(null, [], {
        clause: 'EP-1',
        why: `the payload is not an x86 bzImage: ${problems.at(-1)?.what ?? 'no setup header'}`,
      }),
    ]
  const evidence = shapeOf(bzimage)
  const named = bzimage.version === null ? null : kernelRelease(bzimage.version)
  if (named === null) return byShape(bzimage, evidence)
  const { release, exact } = named
  const said = [`version string ${JSON.stringify(bzimage.version)}: linux ${release}`, ...evidence]
  const rows = exact ? [] : erasOfBranch(release, kernelTable.rows())
  if (rows.length === 0) return byVersion('linux', release, said, kernelTable.rows(), 'EP-1').map(madeKernel)
  const unsure = [...said, 'it does not give the stable release, so every era of the branch is run']
  return rows.map(row => ({
    era: kernelTable.era(row),
    gap: null,
    version: release,
    evidence: unsure,
    certainty: rows.length === 1 ? 'certain' : 'several',
  }))
}

/** Without a version string every era whose kernels have headers like these is run. */
function byShape(kernel: BzImage, evidence: readonly string[]): Candidate<KernelEra>[] {
  const shapes = kernelShapes(kernel)
  const rows = kernelTable.eras().filter(era => era.shapes.some(shape => shapes.includes(shape)))
  if (rows.length === 0)
    return [
      none(null, evidence, {
        clause: 'EP-1',
        why: 'the kernel has no version string, and its headers match no modelled era; name it with --kernel',
      }),
    ]
  const said = ['no version string', ...evidence, 'every era whose kernels have such headers is run']
  return rows.map(era => ({
    era,
    gap: null,
    version: null,
    evidence: said,
    certainty: rows.length === 1 ? 'certain' : 'several',
  }))
}

/** handover_offset of kernels whose `efi64_stub_entry` is in front of the payload. */
const FIXED_HANDOVER_OFFSET = 0x190

/**
 * Shapes that match the headers of this file; without a handover entry two of them look alike. Empty without
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

/** What the headers of a kernel show about its age, as sentences. */
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

/** A candidate with the era of its row. */
function made<E extends EraInfo>(candidate: Candidate<EraInfo>, eraOf: (row: EraInfo) => E): Candidate<E> {
  const { era: row, ...rest } = candidate
  return { era: row === null ? null : eraOf(row), ...rest }
}

const madeKernel = (candidate: Candidate<EraInfo>): Candidate<KernelEra> => made(candidate, kernelTable.era)

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
      evidence: [`given: --${what} ${choice}, so each of its eras is run`],
      certainty: 'several',
    }))
  const era = eras.find(row => row.id === choice)
  if (era !== undefined)
    return [{ era, gap: null, version: null, evidence: [`given: --${what} ${choice}`], certainty: 'given' }]
  if (!isVersion(choice))
    throw new UsageError(
      `--${what} ${choice}: neither a version nor an era such as ${eras[0]?.id ?? what}; ` +
        'stubsim eras lists them',
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
        why: `${what} ${version} is not in any modelled era; stubsim eras lists them`,
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
