/** Implementation of `check`, with the decoders passed by the caller. */
import { compareWithObserved, contradictions } from './boot/compare.ts'
import type { AnyStubEra } from './boot/identify.ts'
import { bothWays, withDoubtTaken, type DoubtTaken, type OneWay } from './boot/in-doubt.ts'
import type { MachineInput } from './boot/machine.ts'
import {
  kernelBytes,
  kernelChooser,
  kernelInFile,
  bootLoaderChoice,
  stubChoices,
  type EraRef,
  type KernelChooser,
} from './boot/plan.ts'
import { prepareImage, prepareMachine, type PreparedImage, type PreparedMachine } from './boot/prepare.ts'
import { mayNeedRoom } from './boot/room-in-place.ts'
import type { Run } from './boot/run.ts'
import { ModelBug, UsageError } from './bytes/errors.ts'
import { madeOf } from './bytes/fixed-source.ts'
import { hex } from './bytes/range.ts'
import type { ByteSource } from './bytes/source.ts'
import type { Fault } from './firmware/service-call.ts'
import { advise, rules as houseRules } from './hazard/registry.ts'
import type { Rule } from './hazard/rule.ts'
import type { ObservedFact } from './image/observed.ts'
import type { UkiView } from './image/uki.ts'
import type { KernelEra } from './kernel/kernels.ts'
import type { PayloadReader } from './kernel/payload.ts'
import type { BootLoaderModel } from './boot-loader/model.ts'
import type { Assumption, Gap } from './machine/machine.ts'
import type { KernelModel, StubModel } from './machine/model.ts'
import { settingsOf, type CheckSettings } from './machine/settings.ts'
import { assemble, type Frame } from './report/assemble.ts'
import type { Finding, Report } from './report/model.ts'
import { VERSION } from './version.ts'

export type { MachineInput } from './boot/machine.ts'

/**
 * Input of `check`: an image, a machine, settings (docs/reference/scenario.md), and models to use instead of
 * the identified ones.
 */
export interface CheckInput extends CheckSettings {
  /** `assumptions` and `doubts`: of a file made from a listing. */
  readonly image: {
    readonly name: string
    readonly source: ByteSource
    readonly assumptions?: readonly Assumption[]
    readonly doubts?: readonly Gap[]
    /** The places of its sections are made up: no advice is given on them. Default false. */
    readonly unplaced?: boolean
  }
  readonly machine: MachineInput | PreparedMachine
  /** A version, an era id, an era, or a model of the caller. Default: identify. */
  readonly stub?: string | AnyStubEra | StubModel | undefined
  readonly kernel?: string | KernelEra | KernelModel | undefined
  /** Facts of a real boot: compared with every run. */
  readonly observed?: readonly ObservedFact[]
  /**
   * The image is a kernel file, started by this boot loader: an id of boot-loaders.ts or a model of the
   * caller. Default: it is a unified kernel image.
   */
  readonly bootLoader?: string | BootLoaderModel
  /** The kernel on the ESP that a thin image of lanzaboote names. */
  readonly linux?: ByteSource
  /** With a boot loader: its initrd. With a thin image: the initrd on the ESP that it names. */
  readonly initrd?: ByteSource
  /** With a boot loader: the command line. */
  readonly commandLine?: string
  /** Boot services that fail; with a list, empty or not, `runs` have their `calls`. Default: none fail. */
  readonly faults?: readonly Fault[]
  /** Default: all rules of stubsim. */
  readonly rules?: readonly Rule[]
}

/** Result of `check`. */
export interface Checked {
  readonly report: Report
  /** One run per pair of candidates; the first is the leading run of the report. */
  readonly runs: readonly Run[]
}

/** `check` with a payload reader for `deep`; null without one. */
export function checkWith(readPayload: PayloadReader | null, input: CheckInput): Checked {
  if (input.deep === true && readPayload === null) throw new ModelBug('no payload reader for deep')
  const read = input.deep === true ? readPayload : null
  const image = prepareImage(input.image.source)
  const machine = lookedAtBothWays(readPayload, input, prepareMachine(input.machine))
  const { boots, linux, ofFile } =
    input.bootLoader === undefined
      ? ofImage(input, kernelChooser(input, read), image, machine)
      : ofLoader(input, kernelChooser(input, read), input.bootLoader, image, machine)
  const { name } = input.image
  const { what, problems = [] } = machine.input
  const checked = assemble(
    {
      version: VERSION,
      image: { name, size: image.size },
      machine: {
        what: machine.firmware === undefined ? what : `${what}, firmware ${machine.firmware.id}`,
        ramBytes: machine.ramBytes,
      },
      ...ofFile,
      problems: [...ofFile.problems, ...problems],
    },
    boots.map(boot => {
      const observed = input.observed && compareWithObserved(boot.run, linux, input.observed)
      return observed === undefined
        ? { ...boot, contradictions: [] }
        : { ...boot, observed, contradictions: contradictions(observed) }
    }),
    input.rules ?? houseRules,
  )
  if (checked === null) throw new UsageError(`${name}: no candidate to run`)
  return checked
}

/** The machine, with what comes of memory in doubt when it is free, and when it is not (FW-61). */
function lookedAtBothWays(
  readPayload: PayloadReader | null,
  input: CheckInput,
  machine: PreparedMachine,
): PreparedMachine {
  const { inDoubt = [], doubts = [], ...rest } = machine.input
  if (inDoubt.length === 0) return machine
  const runWith = (how: DoubtTaken): OneWay => {
    const map = withDoubtTaken(rest.map, inDoubt, how)
    try {
      const others = doubts.filter(({ clause }) => clause !== 'FW-60')
      const { report } = checkWith(readPayload, { ...input, machine: { ...rest, doubts: others, map } })
      return { verdict: report.verdict, imageBase: report.facts.imageBase }
    } catch (error) {
      if (error instanceof UsageError) return { verdict: error.message, imageBase: undefined }
      throw error
    }
  }
  const said = bothWays(inDoubt, runWith('free'), runWith('taken'))
  return prepareMachine({ ...rest, doubts: [said, ...doubts] })
}

/** All runs, their kernel file, and the advice about the image. */
interface Boots {
  readonly boots: readonly { readonly run: Run; readonly stub: EraRef; readonly kernel: EraRef }[]
  readonly linux: ByteSource | null
  readonly ofFile: Pick<Frame, 'advice' | 'builder' | 'problems' | 'mayNeedRoom'>
}

/** Every candidate stub of the image, each with every candidate kernel it hands over to. */
function ofImage(
  input: CheckInput,
  choose: KernelChooser,
  image: PreparedImage,
  machine: PreparedMachine,
): Boots {
  const { assumptions = [], doubts = [], name } = input.image
  const uki = usable(image, name)
  const entry = machine.load(image, {
    settings: settingsOf(input),
    loadOptions: input.loadOptions ?? null,
    assumptions,
    doubts,
    faults: input.faults,
  })
  const boots = stubChoices(uki, input).flatMap(stub => {
    // What a caller made may do something else next time
    const handed = typeof input.stub === 'object' ? entry.boot(stub.model) : entry.bootAgain(stub.model)
    const payload = handed.handOff?.payload
    const kernels = payload === undefined ? [kernelInFile(uki, input, choose)] : choose(payload.source)
    return kernels.map(kernel => ({
      run: handed.start(kernel.model),
      stub: stub.ref,
      kernel: kernel.ref,
    }))
  })
  return {
    boots,
    linux: kernelBytes(uki, input),
    ofFile: {
      advice: input.image.unplaced === true ? [] : adviceOf(input, image, uki),
      mayNeedRoom: () => mayNeedRoom(uki, input),
      builder: input.image.unplaced === true ? null : image.builder,
      problems: image.parsed.problems.map(({ id, at, what }) => ({ file: name, id, at, what })),
    },
  }
}

function adviceOf({ rules }: CheckInput, image: PreparedImage, uki: UkiView): readonly Finding[] {
  return rules === undefined ? madeOf(image, houseAdvice) : advise({ pe: uki.pe, uki }, rules)
}

/** Advice of the default rules, cached per image. */
function houseAdvice(image: ByteSource): readonly Finding[] {
  const { uki } = prepareImage(image)
  return uki === null ? [] : advise({ pe: uki.pe, uki })
}

/** Every candidate kernel, started by this loader. */
function ofLoader(
  input: CheckInput,
  choose: KernelChooser,
  choice: string | BootLoaderModel,
  image: PreparedImage,
  machine: PreparedMachine,
): Boots {
  const { bootLoader, ref } = bootLoaderChoice(choice)
  if (machine.input.taken === 'stub-entry')
    throw new UsageError(
      'there is no stub when a boot loader starts the kernel: --memmap-at stub-entry and ' +
        '--boot-loader exclude each other',
    )
  const kernels = choose(image)
  const handed = machine.startBootLoader(
    bootLoader,
    { kernel: image, initrd: input.initrd ?? null, commandLine: input.commandLine ?? null },
    { settings: settingsOf(input), faults: input.faults },
  )
  return {
    boots: kernels.map(kernel => ({ run: handed.start(kernel.model), stub: ref, kernel: kernel.ref })),
    linux: image,
    ofFile: { advice: [], mayNeedRoom: () => false, builder: null, problems: [] },
  }
}

/** Problems of overlapping headers: the sections are undefined, so the file is not usable. */
const TANGLED: ReadonlySet<string> = new Set(['headers-overlap', 'section-table-outside-headers'])

/** The sections of a runnable image. Throws UsageError if its headers are unusable. */
function usable(image: PreparedImage, name: string): UkiView {
  const { uki, parsed } = image
  const { problems } = parsed
  const unusable = uki === null ? problems.at(-1) : problems.find(problem => TANGLED.has(problem.id))
  if (uki !== null && unusable === undefined) return uki
  const where = unusable?.at == null ? '' : `at ${hex(unusable.at)}: `
  throw new UsageError(`${name}: ${where}${unusable?.what ?? 'not a PE file'}`)
}
