/** Runs one row of the stub's era table over a UKI that is built in memory, on the small firmware. */
import { range } from '../../src/bytes/range.ts'
import { byteCount } from '../../src/bytes/units.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { type KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { parsePe, type PeFile } from '../../src/image/pe.ts'
import { STUB_FACTS, type StubName } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki, type AddedSection, type UkiRecipe } from '../../src/image/synthetic.ts'
import { createMachine, Stop, type Notes, type Outcome, type Settings } from '../../src/machine/machine.ts'
import type { HandOff, LoadOptions, StubModel } from '../../src/machine/model.ts'
import { GARBAGE } from '../../src/memory/extent.ts'
import { Memory } from '../../src/memory/memory.ts'
import { Recorder } from '../../src/memory/recorder.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { stubModel } from '../../src/stub/boot.ts'
import type { StubEra } from '../../src/stub/model.ts'
import { fakeFirmware, placeUki, type Call } from './fake-firmware.ts'
import { factsOf } from './facts.ts'

/** Kernel facts of Debian's 5.10.223, whose PE says 1, and of the same with 0 there. */
export function kernelFacts(name = 'debian-5.10.223'): KernelFacts {
  return factsOf(name)
}

export function withoutInitrdSupport(facts = kernelFacts()): KernelFacts {
  return { ...facts, pe: { ...facts.pe, optional: { ...facts.pe.optional, MajorImageVersion: 0 } } }
}

export const CMDLINE = 'console=ttyS0 nokaslr'
export const KERNEL_AT = 0x2000000
export const INITRD_AT = 0x3000000
export const INITRD_SIZE = 0x12345

const KERNEL = buildKernel(kernelFacts())

/** The sections that most tests add; `null` leaves one out. */
export function sectionsOf(
  change: Readonly<Record<string, AddedSection | null>> = {},
  kernel: ByteSource = KERNEL,
): AddedSection[] {
  const usual: Record<string, AddedSection> = {
    '.osrel': {
      name: '.osrel',
      VirtualAddress: 0x20000,
      content: { text: 'ID=oracle\nVERSION_ID=1\nPRETTY_NAME="oracle"\n' },
    },
    '.cmdline': { name: '.cmdline', VirtualAddress: 0x30000, content: { text: CMDLINE } },
    '.linux': { name: '.linux', VirtualAddress: KERNEL_AT, content: kernel },
    '.initrd': { name: '.initrd', VirtualAddress: INITRD_AT, content: { initrd: INITRD_SIZE } },
  }
  return Object.entries({ ...usual, ...change }).flatMap(([, section]) => (section === null ? [] : [section]))
}

export interface StubRun {
  readonly handOff: HandOff | null
  readonly outcome: Outcome | null
  readonly memory: Memory
  readonly recorder: Recorder
  readonly notes: Notes
  readonly calls: readonly Call[]
}

export interface StubSetting {
  readonly stub?: StubName
  readonly sections?: readonly AddedSection[]
  /** LoadOptions as text; `bytes` defaults to the text and its NUL. */
  readonly options?: string
  readonly optionBytes?: number
  readonly secureBoot?: boolean
  readonly shim?: boolean
  readonly shell?: readonly string[]
  readonly smbiosCmdline?: string
  readonly confidentialVm?: boolean
  readonly addons?: Settings['addons']
  readonly base?: number
  readonly free?: readonly [number, number]
  readonly full?: readonly string[]
  readonly fullBelow?: readonly string[]
  /** Fields of the optional header of the UKI. */
  readonly edit?: UkiRecipe['optional']
  /** Done to memory before the stub runs. */
  readonly before?: (memory: Memory, base: number) => void
}

export const BASE = 0x10000000
/** Objects of LoadOptions that a firmware gives. */
export const OPTIONS = 'load-options'

export function eraOf(id: string): StubEra {
  const era = stubEras[id]
  if (era === undefined) throw new Error(`no era ${id}`)
  return era
}

export function runStub(id: string, setting: StubSetting = {}): StubRun {
  return runModel(stubModel(eraOf(id)), setting)
}

const USUAL = sectionsOf()
/** UKIs by their sections, stub and changed header: most tests boot one image under many releases. */
const images = new WeakMap<readonly AddedSection[], Map<string, PeFile>>()

function imageOf(stub: StubName, sections: readonly AddedSection[], edit: StubSetting['edit']): PeFile {
  const known = images.get(sections) ?? new Map<string, PeFile>()
  images.set(sections, known)
  const key = `${stub} ${Object.entries(edit ?? {}).join(' ')}`
  const optional = edit === undefined ? {} : { optional: edit }
  const pe = known.get(key) ?? parsePe(buildUki({ stub: STUB_FACTS[stub], sections, ...optional })).pe
  if (pe === null) throw new Error('the UKI of the test is no PE')
  known.set(key, pe)
  return pe
}

/** Runs any model of a stub. */
export function runModel(model: StubModel, setting: StubSetting = {}): StubRun {
  const { stub = '247.3', sections = USUAL, options, base = BASE, free = [0x1000, 0x8000000] } = setting
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  memory.ram(range(0, 0x200000000), GARBAGE)
  const pe = imageOf(stub, sections, setting.edit)
  const loadOptions: LoadOptions | null =
    options === undefined
      ? null
      : {
          at: null,
          bytes: byteCount(setting.optionBytes ?? 2 * (options.length + 1)),
          text: options,
          object: OPTIONS,
        }
  const self = placeUki(memory, pe, base, loadOptions)
  setting.before?.(memory, base)
  const firmware = fakeFirmware(memory, range(...free), setting.full, setting.fullBelow)
  const notes: Notes = { assumptions: [], doubts: [], facts: {} }
  const machine = createMachine(
    recorder,
    memory,
    firmware,
    {
      secureBoot: setting.secureBoot ?? false,
      shim: setting.shim ?? false,
      kaslr: 'off',
      shell: setting.shell,
      smbiosCmdline: setting.smbiosCmdline,
      confidentialVm: setting.confidentialVm,
      addons: setting.addons,
    },
    notes,
  )
  const made = { memory, recorder, notes, calls: firmware.calls }
  try {
    return { handOff: model.boot(machine, self), outcome: null, ...made }
  } catch (stop) {
    if (stop instanceof Stop) return { handOff: null, outcome: stop.outcome, ...made }
    throw stop
  }
}
