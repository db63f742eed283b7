/** From options, a scenario and files to what check() takes. */
import { dirname, isAbsolute, join } from 'node:path'
import { imageOfListing, type ListedImage } from '../boot/listing.ts'
import { machineFromMemmap } from '../boot/memmap-machine.ts'
import { CONTENTS, isKaslrChoice, KASLR_CHOICES, MAP_MOMENTS, descriptorsOf, parseScenario, ukiSource, validateScenario, type KaslrChoice, type Scenario } from '../boot/scenario.ts'
import { UsageError } from '../bytes/errors.ts'
import { formatSize, hex } from '../bytes/range.ts'
import { PAGE, fileOffset, phys } from '../bytes/units.ts'
import type { CheckInput, MachineInput } from '../check.ts'
import { PROFILES, profileAssumption, profileMap, profileNamed } from '../firmware/profiles.ts'
import { readMemmap } from '../image/memmap.ts'
import { isListing, readListing } from '../image/objdump.ts'
import { readObserved } from '../image/observed.ts'
import type { Problem } from '../image/problem.ts'
import type { Call } from './command.ts'

/** What the command line or the scenario says about one machine; exactly one of the three ways is whole. */
interface Wanted {
  readonly memmap: string | undefined
  readonly map: Extract<Scenario['machine'], { map: unknown }>['map'] | undefined
  readonly ram: number | undefined
  readonly firmware: string | undefined
}

type Machine = Pick<MachineInput, 'what' | 'map' | 'taken' | 'problems' | 'assumptions' | 'doubts'>

/** An image, and what takes its stub's place when that cannot be known. */
type Image = CheckInput['image'] & Pick<ListedImage, 'stub'>

/** How much of a file is looked at to tell a listing from an image. */
const LISTING_HEAD = 65536

function oneOf<T extends string>(choices: readonly T[], text: string | undefined): T | undefined {
  return choices.find(choice => choice === text)
}

async function readScenario(call: Call, path: string): Promise<Scenario> {
  const text = call.files.text(path)
  call.log.debug('scenario', { file: path, length: text.length })
  if (path.endsWith('.json')) return parseScenario(text, path)
  const { parseDocument } = await import('yaml')
  const document = parseDocument(text, { intAsBigInt: true, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) throw new UsageError(`${path}: not YAML: ${error.message.split('\n')[0] ?? ''}`)
  return validateScenario(plainOf(() => document.toJS({ maxAliasCount: 100 }) as unknown, path), path)
}

// Aliases that multiply are refused by the YAML reader with an error of its own
function plainOf(read: () => unknown, path: string): unknown {
  try {
    return read()
  } catch (error) {
    throw new UsageError(`${path}: not YAML: ${error instanceof Error ? error.message : 'cannot be resolved'}`)
  }
}

/** A path in a scenario counts from the scenario's own folder. */
function beside(scenarioPath: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(scenarioPath), path)
}

function machineWanted(call: Call, scenario: Scenario | null, scenarioPath: string): Wanted {
  const given = { memmap: call.text('memmap'), ram: call.quantity('ram'), firmware: call.text('firmware') }
  const stored = scenario?.machine
  if (given.memmap !== undefined && (given.ram ?? given.firmware) !== undefined) throw new UsageError('--memmap describes a whole machine: --ram and --firmware do not go with it')
  if (given.memmap !== undefined) return { ...given, map: undefined }
  if (stored === undefined || !('ram' in stored)) {
    if ((given.ram ?? given.firmware) !== undefined || stored === undefined) return { ...given, map: undefined }
    return 'map' in stored ? { ...given, map: stored.map } : { ...given, memmap: beside(scenarioPath, stored.memmap), map: undefined }
  }
  return { memmap: undefined, map: undefined, ram: given.ram ?? Number(stored.ram), firmware: given.firmware ?? stored.firmware }
}

const profileList = (): string => PROFILES.map(profile => profile.id).join(', ')

/** Why a text gave no map: the last problem, and the first one where that says more. */
function reasonOf(problems: readonly Problem[]): string {
  const [first] = problems
  const last = problems.at(-1)
  return [last, first === last ? undefined : first].flatMap(problem => (problem === undefined ? [] : [problem.what])).join(': ')
}

function fromMemmap(call: Call, path: string, taken: MachineInput['taken']): Machine {
  const parse = readMemmap(call.files.bytes(path))
  const { map, dialect, problems } = parse
  if (map.length === 0) throw new UsageError(`${path}: ${reasonOf(problems)}`)
  call.log.debug('memory map', { file: path, dialect: dialect ?? '', entries: map.length })
  return machineFromMemmap(path, parse, taken)
}

function fromProfile(ram: number, firmware: string): Machine {
  const profile = profileNamed(firmware)
  const assumption = profileAssumption(profile, ram)
  return { what: `profile ${profile.id} with ${formatSize(ram)}`, map: profileMap(profile, ram), ...(assumption === null ? {} : { assumptions: [{ clause: 'FW-21', what: assumption }] }) }
}

function machineOf(call: Call, { memmap, map, ram, firmware }: Wanted, scenarioPath: string, taken: MachineInput['taken']): Machine {
  if (memmap !== undefined) return fromMemmap(call, memmap, taken)
  if (map !== undefined) return { what: `memory map of ${scenarioPath}${taken === undefined || taken === 'before-load' ? '' : `, taken at ${taken}`}`, map: descriptorsOf(map), ...(taken === undefined ? {} : { taken }) }
  if (ram !== undefined && firmware !== undefined) return fromProfile(ram, firmware)
  if (ram !== undefined) throw new UsageError(`--ram needs --firmware PROFILE: one of ${profileList()}`)
  if (firmware !== undefined) throw new UsageError('--firmware needs --ram SIZE, such as --ram 512MiB')
  throw new UsageError(`on which machine? Give --memmap FILE with its memory map, or --ram SIZE --firmware PROFILE with a profile of ${profileList()}`)
}

/** The machine that the options alone give; null when they say nothing. Throws UsageError. */
export function machineGiven(call: Call): Machine | null {
  const wanted = { memmap: call.text('memmap'), map: undefined, ram: call.quantity('ram'), firmware: call.text('firmware') }
  if (wanted.memmap !== undefined && (wanted.ram ?? wanted.firmware) !== undefined) throw new UsageError('--memmap describes a whole machine: --ram and --firmware do not go with it')
  return (wanted.memmap ?? wanted.ram ?? wanted.firmware) === undefined ? null : machineOf(call, wanted, '', undefined)
}

/** When the map was taken: to be said only where there is a map. */
function takenOf(call: Call, scenario: Scenario | null, wanted: Wanted): MachineInput['taken'] {
  const given = oneOf(MAP_MOMENTS, call.text('memmap-at'))
  const isProfile = wanted.memmap === undefined && wanted.map === undefined
  if (given !== undefined && isProfile) throw new UsageError('--memmap-at says when a memory map was taken: it needs --memmap, and a profile is always before-load')
  return isProfile ? undefined : (given ?? scenario?.memmapAt)
}

function kaslrOf(text = 'command-line'): KaslrChoice {
  if (isKaslrChoice(text)) return text
  throw new UsageError(`--kaslr: ${JSON.stringify(text)} is none of ${KASLR_CHOICES.join(', ')}`)
}

function baseOf(call: Call, scenario: Scenario | null): MachineInput['imageBase'] {
  const base = call.quantity('image-base') ?? scenario?.imageBase
  if (base !== undefined && base % PAGE !== 0) throw new UsageError(`the image base ${hex(base)} is not a multiple of ${hex(PAGE)}: firmware loads images at whole pages`)
  return base === undefined ? undefined : phys(base)
}

/** The file itself, or what a section listing in it stands for. */
function fileOrListing(call: Call, path: string): Image {
  const source = call.files.source(path)
  if (!isListing(source.read(fileOffset(0), LISTING_HEAD))) return { name: path, source, stub: null }
  const { listing, problems } = readListing(call.files.bytes(path))
  if (listing === null) throw new UsageError(`${path}: ${problems.at(-1)?.what ?? 'no section listing'}`)
  return { name: `${path} (section listing${listing.fileName === null ? '' : ` of ${listing.fileName}`})`, ...imageOfListing(listing, problems) }
}

/** What a log says, for --observed. */
function observedOf(call: Call): Pick<CheckInput, 'observed'> {
  const path = call.text('observed')
  if (path === undefined) return {}
  const { facts, problems } = readObserved(call.files.bytes(path))
  const fatal = problems.find(problem => problem.fatal)
  if (fatal !== undefined) throw new UsageError(`${path}: ${fatal.what}`)
  for (const problem of problems) call.log.debug('observed', { file: path, problem: problem.what })
  return { observed: facts }
}

function imageOf(call: Call, scenario: Scenario | null, scenarioPath: string): Image {
  if (call.operand !== null) return fileOrListing(call, call.operand)
  if (scenario === null) throw new UsageError('which image? Give FILE or --scenario FILE')
  if ('uki' in scenario.image) return { name: `${scenario.name ?? scenarioPath} (made in memory)`, source: ukiSource(scenario.image.uki), stub: null }
  const path = beside(scenarioPath, scenario.image.file)
  return fileOrListing(call, path)
}

/** Everything that check() needs. Options of the command line win over the scenario. Throws UsageError. */
export async function checkInput(call: Call): Promise<CheckInput> {
  const scenarioPath = call.text('scenario') ?? ''
  const scenario = scenarioPath === '' ? null : await readScenario(call, scenarioPath)
  const wanted = machineWanted(call, scenario, scenarioPath)
  const taken = takenOf(call, scenario, wanted)
  const imageBase = baseOf(call, scenario)
  const contents = oneOf(CONTENTS, call.text('contents')) ?? scenario?.contents
  const machine: MachineInput = {
    ...machineOf(call, wanted, scenarioPath, taken),
    ...(imageBase === undefined ? {} : { imageBase }),
    ...(contents === undefined ? {} : { contents }),
  }
  const { stub: unknownStub, ...image } = imageOf(call, scenario, scenarioPath)
  const stub = call.text('stub') ?? scenario?.stub
  const kernel = call.text('kernel') ?? scenario?.kernel
  const loadOptions = call.text('load-options') ?? scenario?.loadOptions
  return {
    image,
    machine,
    ...(unknownStub !== null ? { stub: unknownStub } : stub === undefined ? {} : { stub }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(loadOptions === undefined ? {} : { loadOptions }),
    ...observedOf(call),
    kaslr: kaslrOf(call.text('kaslr') ?? scenario?.kaslr),
    deep: call.has('deep'),
    secureBoot: call.has('secure-boot') || (scenario?.secureBoot ?? false),
    shim: call.has('shim') || (scenario?.shim ?? false),
  }
}
