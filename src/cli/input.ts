/** Builds the input of check() from options, a scenario and files. */
import { dirname, isAbsolute, join } from 'node:path'
import type { ListedImage } from '../boot/listing.ts'
import type { MapTaken } from '../boot/map-before-load.ts'
import type { Scenario } from '../boot/scenario.ts'
import { ModelBug, UsageError } from '../bytes/errors.ts'
import { JSON_MAX } from '../bytes/plain-data.ts'
import type { ByteSource } from '../bytes/source.ts'
import { fileOffset } from '../bytes/units.ts'
import type { CheckInput, MachineInput } from '../check-with.ts'
import type { Call } from './command.ts'
import type { Chosen } from './text-image.ts'
import { givenMachines, isFirmwareFile, machineOf, type Wanted } from './machine.ts'
import { readSettings, type Stored } from './settings.ts'

/** An image, and the replacement of its stub if that is unknown. */
type Image = CheckInput['image'] & Pick<ListedImage, 'stub'>

async function readScenario(call: Call, path: string): Promise<Scenario> {
  const text = call.files.text(path, JSON_MAX)
  call.log.debug('scenario', { file: path, length: text.length })
  const { parseScenario, validateScenario } = await import('../boot/scenario.ts')
  if (path.endsWith('.json')) return parseScenario(text, path)
  const { parseYaml } = await import('./yaml.ts')
  return validateScenario(await parseYaml(text, path), path)
}

/** A path in a scenario is relative to the scenario's folder. */
function beside(scenarioPath: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(scenarioPath), path)
}

/** A scenario on the command line; null and empty without one. */
export interface Asked {
  readonly scenario: Scenario | null
  readonly scenarioPath: string
}

/** The scenario that is asked for. Throws UsageError. */
export async function askedOf(call: Call): Promise<Asked> {
  const scenarioPath = call.text('scenario') ?? ''
  return { scenario: scenarioPath === '' ? null : await readScenario(call, scenarioPath), scenarioPath }
}

const storedIn = ({ scenario, scenarioPath }: Asked): Stored => ({
  settings: scenario ?? {},
  beside: path => beside(scenarioPath, path),
})

/** The machines in options and scenario: one, or one for every combination of the options' values. */
export function machinesWanted(call: Call, asked: Asked): Wanted[] {
  return givenMachines(call).map(given => machineWanted(given, asked))
}

function machineWanted(given: Wanted, { scenario, scenarioPath }: Asked): Wanted {
  const stored = scenario?.machine
  if (given.memmap !== undefined) return given
  if (stored === undefined || !('ram' in stored)) {
    if ((given.ram ?? given.firmware) !== undefined || stored === undefined) return given
    return 'map' in stored
      ? { ...given, map: stored.map }
      : { ...given, memmap: beside(scenarioPath, stored.memmap) }
  }
  const storedFirmware = isFirmwareFile(stored.firmware)
    ? beside(scenarioPath, stored.firmware)
    : stored.firmware
  return { ...given, ram: given.ram ?? Number(stored.ram), firmware: given.firmware ?? storedFirmware }
}

/** When the map was taken: only allowed with a map. */
function takenOf(call: Call, given: MapTaken | undefined, wanted: Wanted): MapTaken | undefined {
  const isProfile = wanted.memmap === undefined && wanted.map === undefined
  if (isProfile && call.text('memmap-at') !== undefined)
    throw new UsageError('--memmap-at needs --memmap; the map of a profile is always before-load')
  return isProfile ? undefined : given
}

/** A kernel file with a boot loader, initrd and command line; or the files of a thin image. */
async function loadedBy(
  call: Call,
  image: ByteSource,
): Promise<Pick<CheckInput, 'bootLoader' | 'linux' | 'initrd' | 'commandLine'>> {
  const bootLoader = call.text('boot-loader')
  const initrd = call.text('initrd')
  const commandLine = call.text('cmdline')
  const [linux, esp] = [call.text('linux'), call.text('esp')]
  const thin = linux !== undefined || esp !== undefined
  if (thin && bootLoader !== undefined)
    throw new UsageError('--linux and --esp are for a thin image; with --boot-loader, FILE is the kernel')
  if (bootLoader === undefined && (commandLine !== undefined || (initrd !== undefined && !thin)))
    throw new UsageError(
      '--initrd and --cmdline are for --boot-loader (--initrd also for --linux): a unified ' +
        'kernel image has its own',
    )
  if (thin) return (await import('./esp.ts')).besideImage(call, image)
  return {
    ...(bootLoader === undefined ? {} : { bootLoader }),
    ...(initrd === undefined ? {} : { initrd: call.files.source(initrd) }),
    ...(commandLine === undefined ? {} : { commandLine }),
  }
}

/**
 * The file itself, or the image that a text in it describes: what reads texts is loaded where there is one.
 */
async function fileOrListing(call: Call, path: string, chosen: Chosen): Promise<Image> {
  const source = call.files.source(path)
  const head = source.read(fileOffset(0), 2)
  const isImage = head.length === 0 || (head[0] === 0x4d && head[1] === 0x5a)
  const text = isImage ? null : (await import('./text-image.ts')).imageOfText(call, path, source, chosen)
  return text ?? { name: path, source, stub: null }
}

type Observed = Pick<CheckInput, 'observed'> & Required<Pick<MachineInput, 'problems'>>

/** Facts of a log, for --observed, and its problems. */
async function observedOf(call: Call): Promise<Observed> {
  const path = call.text('observed')
  if (path === undefined) return { problems: [] }
  const { readObserved } = await import('../image/observed.ts')
  const { facts, problems } = readObserved(call.files.bytes(path))
  const fatal = problems.find(problem => problem.fatal)
  if (fatal !== undefined) throw new UsageError(`${path}: ${fatal.what}`)
  return { observed: facts, problems: problems.map(({ id, at, what }) => ({ file: path, id, at, what })) }
}

/** What `make` makes; where it cannot, its message says of what. */
function saidOf<T>(what: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof UsageError ? new UsageError(`${what}: ${error.message}`) : error
  }
}

async function imageOf(
  call: Call,
  scenario: Scenario | null,
  scenarioPath: string,
  chosen: Chosen,
): Promise<Image> {
  if (call.operand !== null) return fileOrListing(call, call.operand, chosen)
  if (scenario === null) throw new UsageError('which image? Give FILE or --scenario FILE')
  if (!('uki' in scenario.image))
    return fileOrListing(call, beside(scenarioPath, scenario.image.file), chosen)
  const { ukiSource } = await import('../boot/recipe.ts')
  const { uki } = scenario.image
  return {
    name: `${scenario.name ?? scenarioPath} (made in memory)`,
    source: saidOf(`${scenarioPath}: image.uki`, () => ukiSource(uki)),
    stub: null,
  }
}

/** One of the machines that are wanted. Throws UsageError. */
export async function machineInput(call: Call, asked: Asked, wanted: Wanted): Promise<MachineInput> {
  const { memmapAt, ...seen } = readSettings(call, storedIn(asked), 'machine')
  return machineOf(call, wanted, asked.scenarioPath, takenOf(call, memmapAt, wanted), seen)
}

/** The input of check() but for its machine. Throws UsageError. */
export async function imageInput(call: Call, asked: Asked): Promise<Omit<CheckInput, 'machine'>> {
  const { scenario, scenarioPath } = asked
  const settings = readSettings(call, storedIn(asked), 'check', 'stages')
  const { stub: unknownStub, ...image } = await imageOf(call, scenario, scenarioPath, settings)
  return {
    image,
    ...settings,
    ...(unknownStub === null ? {} : { stub: unknownStub }),
    ...(await loadedBy(call, image.source)),
  }
}

/** The input of check(). Options take precedence over the scenario. Throws UsageError. */
export async function checkInput(call: Call): Promise<CheckInput> {
  const asked = await askedOf(call)
  const [wanted] = machinesWanted(call, asked)
  if (wanted === undefined) throw new ModelBug('no machine among the options')
  const machine = await machineInput(call, asked, wanted)
  const { problems: oddities, ...observed } = await observedOf(call)
  return {
    ...(await imageInput(call, asked)),
    machine:
      oddities.length === 0 ? machine : { ...machine, problems: [...(machine.problems ?? []), ...oddities] },
    ...observed,
  }
}
