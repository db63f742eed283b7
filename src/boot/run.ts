/**
 * One boot: firmware loads the UKI, the stub hands over, the kernel arrives. What comes out is a recording
 * and the facts.
 */
import { rangeOrNull } from '../bytes/range.ts'
import type { ByteSource } from '../bytes/source.ts'
import { add, byteCount, type Phys } from '../bytes/units.ts'
import { createFirmware, type Contents, type FirmwareOptions } from '../firmware/boot-services.ts'
import type { Build } from '../firmware/build.ts'
import { innerLoader, type Firmware } from '../firmware/firmwares.ts'
import type { LoadedImage } from '../firmware/services.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
import type { UkiView } from '../image/uki.ts'
import {
  Stop,
  createMachine,
  type Assumption,
  type Gap,
  type Machine,
  type Notes,
  type Outcome,
  type Settings,
} from '../machine/machine.ts'
import type { Facts, HandOff, KernelModel, Payload, SectionFact, StubModel } from '../machine/model.ts'
import { withDefaults } from '../machine/settings.ts'
import { Memory } from '../memory/memory.ts'
import { Recorder, type Recording } from '../memory/recorder.ts'
import { INITRD_FILES } from '../kernel/steps/initrd-files.ts'
import { lookAhead } from './look-ahead.ts'
import { momentOf, type Moment } from './moments.ts'

/** Everything that one boot depends on. */
export interface Setup {
  readonly source: ByteSource
  readonly uki: UkiView
  /** The firmware's map before the UKI is loaded. */
  readonly map: readonly MemoryDescriptor[]
  readonly contents: Contents
  /** Who allocates and loads. Default: EDK2 2022.11. */
  readonly firmware?: Firmware | undefined
  /** The state of the firmware's own pools, where the machine tells it. Default: unknown (FW-19). */
  readonly pool?: Build['pool']
  /** Observed load address; the allocator decides when absent. */
  readonly imageBase?: Phys | undefined
  /** LoadOptions of the boot entry, or null. */
  readonly loadOptions: string | null
  /** What is absent is as the table of settings says. */
  readonly settings: Partial<Settings>
  /** The stub's model, or why there is none. */
  readonly stub: StubModel | Gap
  /** Chooses the kernel's model by what the stub found, or says why there is none. */
  readonly kernel: (payload: Payload) => KernelModel | Gap
  /** What was taken for granted before the run. */
  readonly assumptions: readonly Assumption[]
  /** What makes the verdict unknown before the run: a map that cannot tell all. */
  readonly doubts?: readonly Gap[]
}

/** One simulated boot. */
export interface Run {
  readonly recording: Recording
  readonly outcome: Outcome
  readonly facts: Facts
  readonly assumptions: readonly Assumption[]
  readonly gaps: readonly Gap[]
  readonly moments: readonly Moment[]
}

/** Runs one boot. Guest faults end up in the outcome; only a ModelBug is thrown. */
export function run(setup: Setup): Run {
  return record(setup, on => boot(setup, on))
}

/** What every kind of boot depends on. */
export type Surroundings = Pick<
  Setup,
  'map' | 'contents' | 'firmware' | 'pool' | 'settings' | 'assumptions' | 'doubts'
>

/** A machine, what is noted beside the recording, and a look at memory. */
export interface Stage {
  readonly machine: Machine
  readonly notes: Notes
  readonly look: (moment: Moment['moment']) => void
}

/** Who allocates and loads, and what is known of it. */
function firmwareOf({
  firmware,
  pool = 'unknown',
  settings,
}: Surroundings): Pick<FirmwareOptions, 'allocator' | 'build' | 'loader' | 'inner'> {
  if (firmware === undefined) return { build: { pool } }
  const { allocator, loader, build } = firmware
  return {
    allocator,
    build: { pool, ...build },
    loader,
    inner: innerLoader(firmware, withDefaults(settings).secureBoot),
  }
}

/** Carries out `body` on a fresh machine and keeps what happened. */
export function record(setup: Surroundings, body: (stage: Stage) => Outcome): Run {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const notes: Notes = { assumptions: [...setup.assumptions], doubts: [...(setup.doubts ?? [])], facts: {} }
  const moments: Moment[] = []
  let outcome: Outcome
  try {
    const firmware = createFirmware({
      memory,
      recorder,
      map: setup.map,
      contents: setup.contents,
      ...firmwareOf(setup),
      assume: (clause, what) => notes.assumptions.push({ clause, what }),
    })
    outcome = body({
      machine: createMachine(recorder, memory, firmware, setup.settings, notes),
      notes,
      look: moment => moments.push(momentOf(memory, moment)),
    })
  } catch (stop) {
    if (!(stop instanceof Stop)) throw stop
    outcome = stop.outcome
  }
  const gaps = outcome.kind === 'unknown' ? [outcome.gap, ...notes.doubts] : notes.doubts
  return { recording: recorder, outcome, facts: notes.facts, assumptions: notes.assumptions, gaps, moments }
}

function boot(setup: Setup, stage: Stage): Outcome {
  const { machine, look } = stage
  look('before-load')
  const loaded = machine.as('firmware', () => load(machine, setup))
  machine.observe({ imageBase: loaded.base, sections: sectionFacts(machine.memory, loaded, setup.uki) })
  look('stub-entry')
  const { stub } = setup
  if ('why' in stub) return { kind: 'unknown', gap: stub }
  return start(
    stage,
    machine.as('stub', () => stub.boot(machine, loaded)),
    setup.kernel,
  )
}

/** The kernel from its door on. */
export function start(
  { machine, look, notes }: Stage,
  handOff: HandOff,
  chooseKernel: Setup['kernel'],
): Outcome {
  const kernelImage = handOff.via === 'pe-entry' ? handOff.loaded.base : handOff.image
  machine.observe({ handOff: { door: handOff.via, kernelImage, entry: handOff.entry } })
  look('hand-off')
  const kernel = chooseKernel(handOff.payload)
  if ('why' in kernel) return { kind: 'unknown', gap: kernel }
  const arrival = machine.as('efi-stub', () => kernel.start(machine, handOff))
  look('arrival')
  machine.as('kernel', () => {
    lookAhead(
      machine,
      handOff.initrdObject ?? (machine.memory.partsOf(INITRD_FILES) === undefined ? null : INITRD_FILES),
      notes.facts,
    )
  })
  return { kind: 'arrived', at: arrival }
}

function load(machine: Machine, setup: Setup): LoadedImage {
  const owners = new Map(setup.uki.sections.map(({ section, object }) => [section.index, object]))
  const result = machine.step('PE-1', 'the firmware loads the UKI', () =>
    machine.firmware.loadImage({
      from: { kind: 'file', source: setup.source },
      name: 'uki',
      ownerOf: section => ({ object: owners.get(section.index) ?? 'uki', at: 0 }),
      pinned: setup.imageBase,
    }),
  )
  if (result.image === null) return machine.refuse(result.clause, result.status, result.why, result.message)
  const text = setup.loadOptions ?? shellLine(setup.settings)
  if (text === null) return result.image
  return {
    ...result.image,
    loadOptions: { at: null, bytes: byteCount(2 * (text.length + 1)), text, object: 'load-options' },
  }
}

/** The EFI shell passes all that was typed, the image's own name first. */
function shellLine({ shell }: Partial<Settings>): string | null {
  return shell === undefined ? null : ['\\EFI\\BOOT\\BOOTX64.EFI', ...shell].join(' ')
}

/** Where every section lies at the stub's entry, and whether all its bytes are its own. */
function sectionFacts(memory: Memory, image: LoadedImage, uki: UkiView): SectionFact[] {
  return uki.sections.map(({ section, object }) => {
    const size = section.VirtualSize === 0 ? section.SizeOfRawData : section.VirtualSize
    const address = add(image.base, section.VirtualAddress)
    const where = rangeOrNull(address, size)
    let own = 0
    for (const { range, whose } of where === null ? [] : memory.extents(where)) {
      if (whose?.object !== object || whose.at !== range.start - address) break
      own += range.end - range.start
    }
    return { name: section.name, address, size, intact: own === size }
  })
}
