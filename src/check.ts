/** The front door: an image and a machine in, a report out. */
import { kernelCandidates, stubCandidates, type AnyStubEra, type Candidate } from './boot/identify.ts'
import type { MachineInput } from './boot/machine.ts'
import { mapBeforeLoad } from './boot/map-before-load.ts'
import { compareWithObserved, contradictions, type ComparedFact } from './boot/compare.ts'
import { runLoader } from './boot/run-loader.ts'
import { run, type Run } from './boot/run.ts'
import { UsageError } from './bytes/errors.ts'
import { hex, sizeOf } from './bytes/range.ts'
import type { ByteSource } from './bytes/source.ts'
import { firmwareNamed, nobodyNamed, type Firmware } from './firmware/firmwares.ts'
import { ramOf } from './firmware/memory-map.ts'
import { advise, judge, rules as houseRules } from './hazard/registry.ts'
import type { Rule } from './hazard/rule.ts'
import type { MemoryDescriptor } from './image/memory-types.ts'
import type { ObservedFact } from './image/observed.ts'
import { recogniseLayout } from './image/layouts/recognise.ts'
import { thinFiles } from './image/lanzastub.ts'
import { parsePe } from './image/pe.ts'
import { viewUki, type UkiView } from './image/uki.ts'
import { kernelModel, type KernelEra } from './kernel/model.ts'
import { rememberingReader, type PayloadReader } from './kernel/payload.ts'
import { loaders } from './loader/loaders.ts'
import type { LoaderModel } from './loader/model.ts'
import type { Assumption, Gap } from './machine/machine.ts'
import type { EraInfo, KernelModel, StubModel } from './machine/model.ts'
import { settingsOf, type CheckSettings } from './machine/settings.ts'
import type { EraRef, FileProblem, Finding, Report, RunReport, Verdict } from './report/model.ts'
import { lanzabooteModel, type EspFiles } from './stub/lanzaboote/model.ts'
import { stubModel } from './stub/model.ts'
import { VERSION } from './version.ts'

export type { MachineInput } from './boot/machine.ts'

/**
 * What `check` is given: an image, a machine, settings (docs/reference/scenario.md), and whatever is to be
 * tried instead of what the image says.
 */
export interface CheckInput extends CheckSettings {
  /** `assumptions` and `doubts`: of a file that had to be made from a listing. */
  readonly image: {
    readonly name: string
    readonly source: ByteSource
    readonly assumptions?: readonly Assumption[]
    readonly doubts?: readonly Gap[]
  }
  readonly machine: MachineInput
  /** A version, an era id, a row or a model of one's own. Default: identify. */
  readonly stub?: string | AnyStubEra | StubModel | undefined
  readonly kernel?: string | KernelEra | KernelModel | undefined
  /** What a real boot said: compared with every run. */
  readonly observed?: readonly ObservedFact[]
  /**
   * The image is a kernel file, started by this loader: an id of loaders.ts or a model of one's own. Default:
   * it is a unified kernel image.
   */
  readonly loader?: string | LoaderModel
  /** The kernel on the ESP that a thin image of lanzaboote names. */
  readonly linux?: ByteSource
  /**
   * With a loader: the initrd that it is told to bring. With a thin image: the one on the ESP that it names.
   */
  readonly initrd?: ByteSource
  /** With a loader: the command line. */
  readonly commandLine?: string
  /** Default: the rules of the house. */
  readonly rules?: readonly Rule[]
}

/** What `check` found. */
export interface Checked {
  readonly report: Report
  /** One run per pair of candidates; the first is the one whose fields stand at the top of the report. */
  readonly runs: readonly Run[]
}

/**
 * Simulates the boot and judges it. Throws UsageError when the image is no PE file or the map cannot be used.
 */
export function check(input: CheckInput): Checked {
  const { image } = input
  if (input.loader !== undefined)
    return checked(input, runLoaded(input, input.loader), image.source, {
      advice: [],
      problems: [],
      builder: null,
    })
  const { pe, problems } = parsePe(image.source)
  const unusable = pe === null ? problems.at(-1) : problems.find(problem => TANGLED.has(problem.id))
  if (pe === null || unusable !== undefined) {
    throw new UsageError(
      `${image.name}: ${unusable?.at == null ? '' : `at ${hex(unusable.at)}: `}${unusable?.what ?? 'not a PE file'}`,
    )
  }
  const uki = viewUki(pe)
  return checked(input, runAll(input, uki, firmwareOf(input.machine)), kernelBytes(input, uki), {
    advice: advise({ pe, uki }, input.rules ?? houseRules),
    problems,
    builder: recogniseLayout(pe, uki),
  })
}

function checked(
  input: CheckInput,
  pairs: readonly Pair[],
  linux: ByteSource | null,
  {
    advice,
    problems,
    builder,
  }: Pick<Report, 'advice' | 'builder'> & { readonly problems: readonly Omit<FileProblem, 'file'>[] },
): Checked {
  const { image, machine } = input
  const firmware = firmwareOf(machine)
  const rules = input.rules ?? houseRules
  const reports = pairs.map(({ run: one, stub, kernel }) => ({
    run: one,
    report: runReport(
      one,
      stub,
      kernel,
      rules,
      input.observed === undefined ? undefined : compareWithObserved(one, linux, input.observed),
    ),
  }))
  reports.sort((a, b) => RANK.indexOf(b.report.verdict) - RANK.indexOf(a.report.verdict))
  const [lead, ...others] = reports
  if (lead === undefined) throw new UsageError(`${image.name}: no candidate to run`)
  const report: Report = {
    schema: 1,
    version: VERSION,
    image: { name: image.name, size: image.source.size },
    machine: {
      what: `${machine.what}${firmware === undefined ? '' : `, firmware ${firmware.id}`}`,
      ramBytes: ramBytes(machine.map),
    },
    ...lead.report,
    builder,
    advice,
    problems: [
      ...problems.map(problem => ({ file: image.name, id: problem.id, at: problem.at, what: problem.what })),
      ...(machine.problems ?? []),
    ],
    alternatives: others.map(other => other.report),
  }
  return { report, runs: reports.map(one => one.run) }
}

/** Problems of headers that lie in each other: what a section is cannot be said, so the file is no input. */
const TANGLED: ReadonlySet<string> = new Set(['headers-overlap', 'section-table-outside-headers'])

const RANK: readonly Verdict[] = ['clean', 'unknown', 'refused', 'damage']

interface Pair {
  readonly run: Run
  readonly stub: EraRef
  readonly kernel: EraRef
}

function firmwareOf({ firmware }: MachineInput): Firmware | undefined {
  return typeof firmware === 'string' ? firmwareNamed(firmware) : firmware
}

function runAll(input: CheckInput, uki: UkiView, firmware: Firmware | undefined): Pair[] {
  const rewound = mapBeforeLoad(
    input.machine.map,
    input.machine.taken ?? 'before-load',
    uki.pe.optional.SizeOfImage,
    input.machine.imageBase,
  )
  const assumptions = [
    ...(input.image.assumptions ?? []),
    ...(input.machine.assumptions ?? []),
    ...nobodyNamed(input.machine),
    ...rewound.assumptions.map(what => ({ clause: 'FW-27' as const, what })),
  ]
  const pairs: Pair[] = []
  const read = input.deep === true ? rememberingReader() : null
  for (const stub of stubsFor(input, uki)) {
    let chosen: readonly Choice<KernelModel>[] | undefined
    let candidates = 1
    for (let index = 0; index < candidates; index++) {
      const one = run({
        source: input.image.source,
        uki,
        map: rewound.map,
        contents: input.machine.contents ?? firmware?.contents ?? 'ovmf',
        firmware,
        pool: input.machine.pool,
        imageBase: input.machine.imageBase,
        loadOptions: input.loadOptions ?? null,
        settings: settingsOf(input),
        stub: stub.model,
        kernel: payload => {
          chosen ??= kernelsFor(input, payload.source, read)
          candidates = chosen.length
          return (chosen[index] ?? kernelInFile(input, uki)).model
        },
        assumptions,
        doubts: [...(input.image.doubts ?? []), ...(input.machine.doubts ?? [])],
      })
      pairs.push({ run: one, stub: stub.ref, kernel: (chosen?.[index] ?? kernelInFile(input, uki)).ref })
    }
  }
  return pairs
}

/**
 * One run per kernel candidate. Throws UsageError for a loader that nobody knows, or a map that is not from
 * before the load.
 */
function runLoaded(input: CheckInput, choice: string | LoaderModel): Pair[] {
  const { image, machine } = input
  const { loader, ref } = loaderOf(choice)
  const firmware = firmwareOf(machine)
  if (machine.taken === 'stub-entry')
    throw new UsageError(
      'there is no stub where a loader starts the kernel: --memmap-at stub-entry does not go with --kernel-loader',
    )
  const rewound = mapBeforeLoad(machine.map, machine.taken ?? 'before-load', 0)
  return kernelsFor(input, image.source, input.deep === true ? rememberingReader() : null).map(kernel => ({
    run: runLoader({
      kernel: image.source,
      initrd: input.initrd ?? null,
      commandLine: input.commandLine ?? null,
      map: rewound.map,
      contents: machine.contents ?? firmware?.contents ?? 'ovmf',
      firmware,
      pool: machine.pool,
      settings: settingsOf(input),
      assumptions: [
        ...(machine.assumptions ?? []),
        ...nobodyNamed(machine),
        ...rewound.assumptions.map(what => ({ clause: 'FW-27' as const, what })),
      ],
      doubts: machine.doubts ?? [],
      loader,
      model: () => kernel.model,
    }),
    stub: ref,
    kernel: kernel.ref,
  }))
}

function loaderOf(choice: string | LoaderModel): { readonly loader: LoaderModel; readonly ref: EraRef } {
  if (typeof choice !== 'string') return { loader: choice, ref: ownRef(choice.id) }
  const row = Object.hasOwn(loaders, choice) ? loaders[choice] : undefined
  if (row === undefined)
    throw new UsageError(`no loader ${choice}; there are ${Object.keys(loaders).join(', ')}`)
  return {
    loader: row,
    ref: {
      id: row.id,
      title: row.title,
      version: null,
      evidence: ['given by the caller'],
      certainty: 'given',
    },
  }
}

interface Choice<M> {
  readonly ref: EraRef
  readonly model: M | { readonly clause: Assumption['clause']; readonly why: string }
}

function stubsFor(input: CheckInput, uki: UkiView): Choice<StubModel>[] {
  const { stub } = input
  if (typeof stub === 'object' && 'boot' in stub) return [{ ref: ownRef(stub.id), model: stub }]
  const esp: EspFiles = {
    kernel: input.linux ?? null,
    initrd: input.initrd ?? null,
    verify: input.deep === true,
  }
  return stubCandidates(uki, stub).map(candidate =>
    choiceOf(candidate, era => ('names' in era ? lanzabooteModel(era, esp) : stubModel(era))),
  )
}

function kernelsFor(
  input: CheckInput,
  source: ByteSource,
  read: PayloadReader | null = null,
): Choice<KernelModel>[] {
  const { kernel } = input
  if (typeof kernel === 'object' && 'start' in kernel) return [{ ref: ownRef(kernel.id), model: kernel }]
  return kernelCandidates(source, kernel).map(candidate => choiceOf(candidate, era => kernelModel(era, read)))
}

/** The bytes of `.linux`; of a thin image, those of the kernel beside it. */
function kernelBytes({ linux }: CheckInput, uki: UkiView): ByteSource | null {
  const section = uki.sections.find(one => one.section.name === '.linux')
  return thinFiles(uki) === null ? (section?.content ?? null) : (linux ?? null)
}

/** The kernel as the file shows it, for runs that end before the stub has chosen one. */
function kernelInFile(input: CheckInput, uki: UkiView): Choice<KernelModel> {
  const linux = kernelBytes(input, uki)
  const [first] = linux === null ? [] : kernelsFor(input, linux)
  const absent =
    thinFiles(uki) === null ? 'no .linux section' : 'the kernel that the image names is not given'
  const none: EraRef = { id: null, title: absent, version: null, evidence: [], certainty: 'none' }
  return first ?? { ref: none, model: { clause: 'EP-1', why: `the image: ${absent}` } }
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
  return { ref, model: era === null ? (gap ?? { clause: 'HZ-1', why: 'no row' }) : modelOf(era) }
}

function runReport(
  one: Run,
  stub: EraRef,
  kernel: EraRef,
  rules: readonly Rule[],
  observed?: readonly ComparedFact[],
): RunReport {
  const findings = judge(one.recording, rules)
  const gaps = [...one.gaps, ...contradictions(observed ?? [])]
  return {
    verdict: verdictOf(one.outcome, gaps, findings),
    outcome: one.outcome,
    stub,
    kernel,
    facts: one.facts,
    findings,
    assumptions: one.assumptions,
    gaps,
    moments: one.moments,
    ...(observed === undefined ? {} : { observed }),
  }
}

/**
 * Damage, or code that was lost, comes before everything; a refusal is certain; then comes what is not known.
 */
function verdictOf(outcome: Run['outcome'], gaps: readonly Gap[], findings: readonly Finding[]): Verdict {
  if (findings.some(finding => finding.class === 'damage') || outcome.kind === 'undefined') return 'damage'
  if (outcome.kind === 'refused') return 'refused'
  return outcome.kind === 'unknown' || gaps.length > 0 ? 'unknown' : 'clean'
}

function ramBytes(map: readonly MemoryDescriptor[]): number {
  return ramOf(map).reduce((sum, where) => sum + sizeOf(where), 0)
}
