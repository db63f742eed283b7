/** Chooses the stubs and kernels to run: as the caller asked, otherwise as identified in the files. */
import { UsageError } from '../bytes/errors.ts'
import type { ByteSource } from '../bytes/source.ts'
import { thinFiles } from '../image/lanzastub.ts'
import type { UkiView } from '../image/uki.ts'
import { kernelModel, type KernelEra } from '../kernel/kernels.ts'
import type { PayloadReader } from '../kernel/payload.ts'
import { rememberingReader } from '../kernel/remembering-reader.ts'
import { bootLoaders } from '../boot-loader/boot-loaders.ts'
import type { BootLoaderModel } from '../boot-loader/model.ts'
import type { Gap } from '../machine/machine.ts'
import type { EraInfo, KernelModel, StubModel } from '../machine/model.ts'
import { lanzabooteModel } from '../stub/lanzaboote/boot.ts'
import type { EspFiles } from '../stub/lanzaboote/model.ts'
import { stubModel } from '../stub/boot.ts'
import type { StubEra } from '../stub/model.ts'
import { kernelCandidates, stubCandidates, type AnyStubEra, type Candidate } from './identify.ts'

/** Which era was run, and why. */
export interface EraRef {
  /** `systemd-stub/S2`; the id of a caller's model; or null if there is none. */
  readonly id: string | null
  readonly title: string
  /** Version text, found or given: `247.3-7+deb11u8`. */
  readonly version: string | null
  /** The evidence for it. */
  readonly evidence: readonly string[]
  /**
   * certain: one candidate. several: one of those that were run. given: the user said so. none: outside the
   * tables.
   */
  readonly certainty: 'certain' | 'several' | 'given' | 'none'
}

/** A model to run, or why there is none. */
export interface Choice<M> {
  readonly ref: EraRef
  readonly model: M | Gap
}

/** The caller's choices, besides image and machine. */
export interface Wishes {
  /** A version, an era id, an era, or a model of the caller. Default: identify. */
  readonly stub?: string | AnyStubEra | StubModel | undefined
  readonly kernel?: string | KernelEra | KernelModel | undefined
  /** Decompress the payload? Default: only its headers are read. */
  readonly deep?: boolean | undefined
  /** Files on the ESP that a thin image names. */
  readonly linux?: ByteSource | undefined
  readonly initrd?: ByteSource | undefined
}

/** Stubs for this image. Throws UsageError for an unknown name. */
export function stubChoices(uki: UkiView, { stub, linux, initrd, deep }: Wishes): Choice<StubModel>[] {
  if (typeof stub === 'object' && 'boot' in stub) return [{ ref: ownRef(stub.id), model: stub }]
  const esp: EspFiles = { kernel: linux ?? null, initrd: initrd ?? null, verify: deep === true }
  return stubCandidates(uki, stub).map(candidate =>
    choiceOf(candidate, era => ('names' in era ? lanzabooteModel(era, esp) : modelOf(era))),
  )
}

const models = new WeakMap<StubEra, StubModel>()

/** One model per era, so that models can be compared by identity. */
function modelOf(era: StubEra): StubModel {
  const known = models.get(era) ?? stubModel(era)
  models.set(era, known)
  return known
}

/** Kernels for a file. */
export type KernelChooser = (source: ByteSource) => readonly Choice<KernelModel>[]

/**
 * Chooses among kernels; each file is examined once. `readPayload` null: only headers are read. The chooser
 * throws UsageError for an unknown name.
 */
export function kernelChooser({ kernel }: Wishes, readPayload: PayloadReader | null): KernelChooser {
  if (typeof kernel === 'object' && 'start' in kernel) {
    const own = [{ ref: ownRef(kernel.id), model: kernel }]
    return () => own
  }
  const read = readPayload === null ? null : rememberingReader(readPayload)
  const known = new Map<ByteSource, readonly Choice<KernelModel>[]>()
  return source => {
    const choices =
      known.get(source) ??
      kernelCandidates(source, kernel).map(candidate => choiceOf(candidate, era => kernelModel(era, read)))
    known.set(source, choices)
    return choices
  }
}

/** The bytes of `.linux`; for a thin image, those of the kernel on the ESP. */
export function kernelBytes(uki: UkiView, { linux }: Wishes): ByteSource | null {
  const section = uki.sections.find(one => one.section.name === '.linux')
  return thinFiles(uki) === null ? (section?.content ?? null) : (linux ?? null)
}

/** The kernel in the file, for runs that end before the stub has chosen one. */
export function kernelInFile(uki: UkiView, wishes: Wishes, choose: KernelChooser): Choice<KernelModel> {
  const linux = kernelBytes(uki, wishes)
  const [first] = linux === null ? [] : choose(linux)
  const absent = thinFiles(uki) === null ? 'no .linux section' : 'the kernel named by the image was not given'
  const none: EraRef = { id: null, title: absent, version: null, evidence: [], certainty: 'none' }
  return first ?? { ref: none, model: { clause: 'EP-1', why: `the image: ${absent}` } }
}

/** A boot loader by its id, or a model of the caller. Throws UsageError that lists the ids. */
export function bootLoaderChoice(choice: string | BootLoaderModel): {
  readonly bootLoader: BootLoaderModel
  readonly ref: EraRef
} {
  if (typeof choice !== 'string') return { bootLoader: choice, ref: ownRef(choice.id) }
  const row = Object.hasOwn(bootLoaders, choice) ? bootLoaders[choice] : undefined
  if (row === undefined)
    throw new UsageError(`unknown boot loader ${choice}; known are ${Object.keys(bootLoaders).join(', ')}`)
  return { bootLoader: row, ref: { ...ownRef(row.id), title: row.title } }
}

function ownRef(id: string): EraRef {
  return {
    id,
    title: 'a model of the caller',
    version: null,
    evidence: ['given by the caller'],
    certainty: 'given',
  }
}

function choiceOf<E extends EraInfo, M>(candidate: Candidate<E>, modelOf: (era: E) => M): Choice<M> {
  const { era, gap, version, evidence, certainty } = candidate
  const ref = { id: era?.id ?? null, title: era?.title ?? gap?.why ?? '', version, evidence, certainty }
  return { ref, model: era === null ? (gap ?? { clause: 'HZ-1', why: 'no era' }) : modelOf(era) }
}
