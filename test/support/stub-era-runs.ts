/** What the tests of chapter ST share: runs of eras, edits of what lies in memory, and what came of a run. */
import { rangeAt } from '../../src/bytes/range.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { phys } from '../../src/bytes/units.ts'
import { buildKernel, type AddedSection } from '../../src/image/synthetic.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { u32At } from './bytes.ts'
import {
  CMDLINE,
  KERNEL_AT,
  kernelFacts,
  runStub,
  sectionsOf,
  withoutInitrdSupport,
  type StubRun,
  type StubSetting,
} from './stub-run.ts'

export const S2 = 'systemd-stub/S2'
export const S6_254 = 'systemd-stub/S6/254'
export const S6_257_11 = 'systemd-stub/S6/257.11'
export const in254 = (setting: StubSetting = {}): StubRun => runStub(S6_254, { stub: '254.26', ...setting })
export const in257 = (setting: StubSetting = {}, row = S6_257_11): StubRun =>
  runStub(row, { stub: '257.13', ...setting })
export const oldKernel = buildKernel(withoutInitrdSupport())

/** A run of 254 through the handover protocol. */
export const forced = (setting: StubSetting = {}): StubRun =>
  in254({ sections: sectionsOf({}, oldKernel), ...setting })
export const { setup_sects, handover_offset } = kernelFacts().hdr
export const FILE = kernelFacts().fileSize

/** Changes bytes of the kernel file where it lies in the image. */
export const editKernel = (at: number, ...bytes: number[]) => ({
  before: (memory: Memory, base: number) =>
    void memory.patch(phys(base + KERNEL_AT + at), Uint8Array.from(bytes), 'kernel', at),
})
export const section = (
  name: string,
  VirtualAddress: number,
  text: string,
  more: Partial<AddedSection> = {},
): AddedSection => ({ name, VirtualAddress, content: { text }, ...more })
export const textAt = ({ memory }: StubRun, at: number, length: number): string =>
  String.fromCharCode(...memory.readRaw(rangeAt(at, length)))
export const u32 = ({ memory }: StubRun, at: number): number => u32At(memory, at)
export const params = (run: StubRun): number => run.notes.facts.bootParams ?? 0
export const pages = ({ calls }: StubRun) =>
  calls
    .filter(({ call }) => call === 'pages')
    .map(({ label, size, type, where }) => [label, size, type, where])
export const refusal = (run: StubRun) => (run.outcome?.kind === 'refused' ? run.outcome.refusal : run.outcome)
export const doubts = (run: StubRun) => run.notes.doubts.map(({ clause }) => clause)
export const stepsOf = ({ recorder }: StubRun): string[] => recorder.steps.map(({ clause }) => clause)
export const withLoadOptions = (run: StubRun) =>
  run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions : undefined
export const lineOf = (run: StubRun): string | undefined =>
  run.notes.facts.commandLine ??
  (run.handOff?.via === 'pe-entry' ? run.handOff.loaded.loadOptions?.text : undefined)
export type Change = Readonly<Record<string, AddedSection | null>>
export const kernel61 = buildKernel(kernelFacts('debian-6.1.170'))

/** Sections that lie after the larger stubs, too. */
export const laterSections = (change: Change = {}, kernel: ByteSource = kernel61): AddedSection[] =>
  sectionsOf(
    {
      '.osrel': section('.osrel', 0x40000, 'ID=x\n'),
      '.cmdline': section('.cmdline', 0x50000, CMDLINE),
      ...change,
    },
    kernel,
  )

/** Rows by the version that they begin with. */
export const early = (row: string, setting: StubSetting = {}): StubRun =>
  runStub(`systemd-stub/${row}`, {
    stub: row.startsWith('S3') || row.startsWith('S4') ? '252.39' : '247.3',
    ...setting,
  })
const LATER = laterSections()
export const later = (row: string, setting: StubSetting = {}): StubRun =>
  runStub(`systemd-stub/${row}`, { stub: '262.1', sections: LATER, ...setting })
export const assumed = (run: StubRun) => run.notes.assumptions.map(({ clause }) => clause)
export const OPTIONAL = 24
export const HARDENED = ['S7/258.10', 'S8/259.8', 'S8']
export const NOT_HARDENED = ['S7', 'S7/258.8', 'S7/259.1', 'S8/259.7', 'S8/261.1']
export const on61 = kernelFacts('debian-6.1.170').pe

/** xloadflags without CAN_BE_LOADED_ABOVE_4G. */
export const below4G = editKernel(0x236, 0x3d)
export const TABLE_61 = on61.e_lfanew + OPTIONAL + 160
export const with254 = (row: string, setting: StubSetting = {}): StubRun =>
  runStub(`systemd-stub/${row}`, { stub: '254.26', ...setting })
export const assumptions = ({ notes }: StubRun): string =>
  notes.assumptions.map(({ what }) => what).join('\n')
export const WITHOUT_CMDLINE = sectionsOf({ '.cmdline': null })
