/** Boots a recorded case in the simulator: same section table, same headers, same memory map. */
import { buildMachine } from '../../src/boot/machine.ts'
import { prepareMachine, type PreparedMachine } from '../../src/boot/prepare.ts'
import { check } from '../../src/check.ts'
import { profileMap, profileNamed, type Profile } from '../../src/firmware/profiles.ts'
import type { Content } from '../../src/image/content.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import type { Report, RunReport } from '../../src/report/model.ts'
import type { Boot, BootFacts } from './facts.ts'
import { handBuiltEra } from './hand-built.ts'
import { rebuild } from './rebuild.ts'
import { recipeOf } from './recipes.ts'
import { mapBeforeLoad, type Recording } from './recording.ts'

/** The recorded map; for boots that never reached the stub, the profile of the machine. */
export function mapFor(recording: Recording): readonly MemoryDescriptor[] {
  return mapBeforeLoad(recording) ?? profileMap(profileOf(recording), recording.ram_mib * 2 ** 20)
}

function profileOf({ ovmf, machine, fd }: Recording): Profile {
  return profileNamed(`ovmf-${ovmf}-${machine}-${fd}`)
}

/** The facts of a report in the words of the oracle. */
export function factsOfRun({ facts, outcome }: RunReport): BootFacts {
  return {
    ending: outcome.kind,
    imageBase: facts.imageBase,
    entryMethod: facts.handOff?.entryMethod,
    kernelImage: facts.handOff?.kernelImage,
    kernelEntry: facts.handOff?.entry,
    bootParams: facts.bootParams,
    cmdLinePtr: facts.cmdLinePtr,
    commandLine: facts.commandLine,
    ramdiskImageFromStub: facts.ramdiskImageFromStub,
    ramdiskImage: facts.ramdiskImage,
    ramdiskSize: facts.ramdiskSize,
    compressedImage: facts.compressedImage,
    decompressedKernel: facts.decompressedKernel,
    initrdDamage: facts.initrdDamage,
  }
}

/**
 * Is the payload decompressed? Only where the recorded kernel was corrupt in its file: the others have a
 * pattern for a payload.
 */
export function isDeep(recording: Recording): boolean {
  return recipeOf(recording).kernel === 'flip'
}

const machines = new WeakMap<Recording, PreparedMachine>()

/** The machine of a recorded case: its map, and what is known of the pool of its firmware. */
export function machineFor(recording: Recording): PreparedMachine {
  const known = machines.get(recording)
  if (known !== undefined) return known
  const input = buildMachine(
    { what: 'recorded map', map: mapFor(recording), profile: profileOf(recording).id },
    { contents: recording.id.startsWith('dirty-ram/') ? 'poison' : undefined },
  )
  const made = prepareMachine(input)
  machines.set(recording, made)
  return made
}

const reports = new WeakMap<Recording, Report>()

/**
 * The whole report on a recorded case, with other contents of its sections where they are given. RAM that was
 * filled before power-on is RAM of which nothing is known. A report without other contents is made once.
 */
export function reportOn(recording: Recording, other?: Readonly<Record<string, Content[]>>): Report {
  const known = other === undefined ? reports.get(recording) : undefined
  if (known !== undefined) return known
  const kernel = handBuiltEra(recording.kernel)
  const deep = isDeep(recording)
  const { report } = check({
    image: { name: recording.id, source: rebuild(recording, other) },
    machine: machineFor(recording),
    deep,
    ...(kernel === undefined ? {} : { kernel }),
  })
  if (other === undefined) reports.set(recording, report)
  return report
}

/** What the simulator says about a recorded case. */
export function simulate(recording: Recording): Boot {
  const report = reportOn(recording)
  return { facts: factsOfRun(report), verdict: report.verdict }
}
