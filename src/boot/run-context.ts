/**
 * The state of a running boot: memory, firmware, recording, notes and snapshots. It is laid out once and
 * forked for every boot, and again wherever boots diverge.
 */
import { ModelBug } from '../bytes/errors.ts'
import { hex } from '../bytes/range.ts'
import { PHYS_END } from '../bytes/units.ts'
import { createFirmware, type ForkableServices } from '../firmware/boot-services.ts'
import type { Build } from '../firmware/build.ts'
import type { Contents } from '../firmware/contents.ts'
import { withFaults } from '../firmware/faults.ts'
import { innerLoader, type Firmware } from '../firmware/firmwares.ts'
import type { ImageLoader } from '../firmware/image-loaders/image-loader.ts'
import type { Fault, ServiceCall } from '../firmware/service-call.ts'
import type { MemoryDescriptor } from '../image/memory-types.ts'
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
import type { Facts } from '../machine/model.ts'
import { withDefaults } from '../machine/settings.ts'
import { Memory } from '../memory/memory.ts'
import { Recorder, type Recording } from '../memory/recorder.ts'
import { HeldMemory } from './held-memory.ts'
import { takeSnapshot, type Snapshot } from './snapshots.ts'

/** Input of the initial memory. */
export interface Layout {
  /** The firmware's map before the UKI is loaded. */
  readonly map: readonly MemoryDescriptor[]
  readonly contents: Contents
  /** Allocator and image loader. Default: EDK2 2022.11. */
  readonly firmware?: Firmware | undefined
  /** The state of the firmware's own pools, if known. Default: unknown (FW-19). */
  readonly pool?: Build['pool'] | undefined
}

/** Per-boot input. */
export interface Beginning {
  /** What is absent is as the table of settings says. */
  readonly settings: Partial<Settings>
  /** Assumptions made before the run. */
  readonly assumptions: readonly Assumption[]
  /** Gaps known before the run, such as an incomplete map; they make the verdict unknown. */
  readonly doubts?: readonly Gap[]
  /** Boot services that fail; absent: none, and calls are not counted. */
  readonly faults?: readonly Fault[] | undefined
}

/** Input common to all boots. */
export interface MachineConfig extends Layout, Beginning {}

/** One simulated boot. */
export interface Run {
  readonly recording: Recording
  readonly outcome: Outcome
  readonly facts: Facts
  readonly assumptions: readonly Assumption[]
  readonly gaps: readonly Gap[]
  readonly snapshots: readonly Snapshot[]
  /** The calls of boot services that could fail, in order; empty where no `faults` were given. */
  readonly calls: readonly ServiceCall[]
}

/** The result of a part of a boot: its value, or the end of the run. */
export type Reached<T> = { readonly value: T; readonly ended: null } | { readonly ended: Outcome }

/** Mutable state of a run. */
interface Parts {
  readonly recorder: Recorder
  readonly memory: Memory
  readonly firmware: ForkableServices
  readonly settings: Settings
  readonly notes: Notes
  readonly snapshots: Snapshot[]
  readonly held: HeldMemory
  /** The firmware's map before the boot. */
  readonly map: readonly MemoryDescriptor[]
  /** Id of the image loader; empty if no firmware was named. */
  readonly loader: string
}

/** The state of a running boot, used by its stages. */
export class RunContext {
  readonly machine: Machine
  readonly notes: Notes
  readonly #parts: Parts

  constructor(parts: Parts) {
    const { recorder, memory, firmware, settings, notes } = parts
    this.#parts = parts
    this.notes = notes
    this.machine = createMachine(recorder, memory, firmware, settings, notes)
  }

  /** Id of the image loader; empty if no firmware was named. */
  get loader(): string {
    return this.#parts.loader
  }

  /** What has been recorded so far. */
  get recording(): Recording {
    return this.#parts.recorder
  }

  /** Snapshots so far. */
  get snapshots(): readonly Snapshot[] {
    return this.#parts.snapshots
  }

  /** Takes a snapshot; its lines are made on first access. */
  takeSnapshot(point: Snapshot['point']): void {
    const { memory, snapshots } = this.#parts
    snapshots.push(takeSnapshot(memory, point))
  }

  /**
   * The same machine in the same state: recording, memory, firmware, notes and snapshots. Neither sees later
   * changes of the other. Costs microseconds. Throws ModelBug under a step.
   */
  fork(): RunContext {
    const { settings, notes, snapshots } = this.#parts
    return forked(
      this.#parts,
      settings,
      {
        assumptions: [...notes.assumptions],
        doubts: [...notes.doubts],
        facts: { ...notes.facts },
      },
      [...snapshots],
    )
  }

  /**
   * Runs a part of the boot. A guest fault ends the run as data, and so does a guest that computes addresses
   * beyond physical memory (FW-57); only a ModelBug is thrown.
   */
  attempt<T>(body: () => T): Reached<T> {
    try {
      return { value: body(), ended: null }
    } catch (stop) {
      if (stop instanceof ModelBug && stop.beyondMemory) return { ended: { kind: 'unknown', gap: beyond() } }
      if (!(stop instanceof Stop)) throw stop
      return { ended: stop.outcome }
    }
  }

  /** The finished run. */
  ended(outcome: Outcome): Run {
    const { recorder, notes, snapshots, held, map, firmware } = this.#parts
    const { assumptions, facts } = notes
    const { calls = [] } = firmware
    const doubts = [...notes.doubts, ...held.follow(recorder).gaps(map)]
    const gaps = outcome.kind === 'unknown' ? [outcome.gap, ...doubts] : doubts
    return { recording: recorder, outcome, facts, assumptions, gaps, snapshots, calls }
  }
}

/** What no x64 machine has is not modelled (FW-57). */
const beyond = (): Gap => ({
  clause: 'FW-57',
  why: `the boot uses addresses beyond ${hex(PHYS_END)}, where physical memory ends`,
})

function forked(
  from: Pick<Parts, 'recorder' | 'memory' | 'firmware' | 'held' | 'map' | 'loader'>,
  settings: Settings,
  notes: Notes,
  snapshots: Snapshot[],
  { inner, faults }: { readonly inner?: ImageLoader; readonly faults?: readonly Fault[] | undefined } = {},
): RunContext {
  const recorder = from.recorder.fork()
  const memory = from.memory.fork(recorder)
  const services = from.firmware.fork({
    memory,
    recorder,
    assume: (clause, what) => notes.assumptions.push({ clause, what }),
    ...(inner === undefined ? {} : { inner }),
  })
  return new RunContext({
    recorder,
    memory,
    firmware: faults === undefined ? services : withFaults(services, faults, recorder, []),
    settings,
    notes,
    snapshots,
    held: from.held.follow(from.recorder).fork(),
    map: from.map,
    loader: from.loader,
  })
}

/** A machine as the firmware leaves it, before anything is loaded. */
export class LaidOut {
  readonly #firmware: Firmware | undefined
  readonly #parts: Pick<Parts, 'recorder' | 'memory' | 'firmware' | 'snapshots' | 'held' | 'map' | 'loader'>
  readonly #assumptions: readonly Assumption[]

  /** Throws UsageError when the map's descriptors overlap or are not made of pages. */
  constructor(layout: Layout) {
    const recorder = new Recorder()
    const memory = new Memory(recorder)
    const assumptions: Assumption[] = []
    const firmware = createFirmware({
      memory,
      recorder,
      map: layout.map,
      contents: layout.contents,
      ...firmwareOf(layout),
      assume: (clause, what) => assumptions.push({ clause, what }),
    })
    this.#firmware = layout.firmware
    this.#assumptions = assumptions
    this.#parts = {
      recorder,
      memory,
      firmware,
      snapshots: [takeSnapshot(memory, 'before-load')],
      held: new HeldMemory(),
      map: layout.map,
      loader: layout.firmware?.loader.id ?? '',
    }
  }

  /** A boot on this machine; boots do not see one another. */
  begin({ settings: some, assumptions, doubts = [], faults }: Beginning): RunContext {
    const settings = withDefaults(some)
    return forked(
      this.#parts,
      settings,
      { assumptions: [...assumptions, ...this.#assumptions], doubts: [...doubts], facts: {} },
      [...this.#parts.snapshots],
      {
        ...(this.#firmware === undefined ? {} : { inner: innerLoader(this.#firmware, settings.secureBoot) }),
        faults,
      },
    )
  }
}

/** The allocator and image loader, and what is known about them. */
function firmwareOf({
  firmware,
  pool = 'unknown',
}: Layout): Pick<Parameters<typeof createFirmware>[0], 'allocator' | 'build' | 'loader'> {
  if (firmware === undefined) return { build: { pool } }
  const { allocator, loader, build } = firmware
  return { allocator, build: { pool, ...build }, loader }
}
