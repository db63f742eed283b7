/** From options, a scenario and files to what check() takes. */
import { dirname, isAbsolute, join } from 'node:path'
import { imageOfListing, type ListedImage } from '../boot/listing.ts'
import {
  CONTENTS,
  isKaslrChoice,
  KASLR_CHOICES,
  MAP_MOMENTS,
  parseScenario,
  parseSize,
  ukiSource,
  validateScenario,
  type KaslrChoice,
  type Scenario,
} from '../boot/scenario.ts'
import { UsageError } from '../bytes/errors.ts'
import type { ByteSource } from '../bytes/source.ts'
import { fileOffset } from '../bytes/units.ts'
import type { CheckInput, MachineInput } from '../check.ts'
import { isListing, LISTING_HEAD, readListing } from '../image/objdump.ts'
import { readObserved } from '../image/observed.ts'
import type { Call } from './command.ts'
import { besideImage } from './esp.ts'
import { givenMachine, isFirmwareFile, machineOf, type Wanted } from './machine.ts'

/** An image, and what takes its stub's place when that cannot be known. */
type Image = CheckInput['image'] & Pick<ListedImage, 'stub'>

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
  return validateScenario(
    plainOf(() => document.toJS({ maxAliasCount: 100 }) as unknown, path),
    path,
  )
}

// Aliases that multiply are refused by the YAML reader with an error of its own
function plainOf(read: () => unknown, path: string): unknown {
  try {
    return read()
  } catch (error) {
    throw new UsageError(
      `${path}: not YAML: ${error instanceof Error ? error.message : 'cannot be resolved'}`,
    )
  }
}

/** A path in a scenario counts from the scenario's own folder. */
function beside(scenarioPath: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(scenarioPath), path)
}

function machineWanted(call: Call, scenario: Scenario | null, scenarioPath: string): Wanted {
  const given = givenMachine(call)
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

/** When the map was taken: to be said only where there is a map. */
function takenOf(call: Call, scenario: Scenario | null, wanted: Wanted): MachineInput['taken'] {
  const given = oneOf(MAP_MOMENTS, call.text('memmap-at'))
  const isProfile = wanted.memmap === undefined && wanted.map === undefined
  if (given !== undefined && isProfile)
    throw new UsageError(
      '--memmap-at says when a memory map was taken: it needs --memmap, and a profile is always before-load',
    )
  return isProfile ? undefined : (given ?? scenario?.memmapAt)
}

/**
 * A kernel file with a loader, to which an initrd and a command line belong; or what lies beside a thin
 * image.
 */
function loadedBy(
  call: Call,
  image: ByteSource,
): Pick<CheckInput, 'loader' | 'linux' | 'initrd' | 'commandLine'> {
  const loader = call.text('kernel-loader')
  const initrd = call.text('initrd')
  const commandLine = call.text('cmdline')
  const [linux, esp] = [call.text('linux'), call.text('esp')]
  const thin = linux !== undefined || esp !== undefined
  if (thin && loader !== undefined)
    throw new UsageError('--linux and --esp are for a thin image; with --kernel-loader FILE is the kernel')
  if (loader === undefined && (commandLine !== undefined || (initrd !== undefined && !thin)))
    throw new UsageError(
      '--initrd and --cmdline are for --kernel-loader (--initrd for --linux, too): a unified kernel image brings its own',
    )
  if (thin) return besideImage(call, image)
  return {
    ...(loader === undefined ? {} : { loader }),
    ...(initrd === undefined ? {} : { initrd: call.files.source(initrd) }),
    ...(commandLine === undefined ? {} : { commandLine }),
  }
}

/** Files of the volume: NAME=FILE, separated by commas, over those of the scenario. */
function volumeOf(call: Call, scenario: Scenario | null, scenarioPath: string): Pick<CheckInput, 'files'> {
  const stored = Object.entries(scenario?.files ?? {}).map(
    ([name, path]) => [name, beside(scenarioPath, path)] as const,
  )
  const given = (call.text('initrd-file')?.split(',') ?? []).map(pair => {
    const [name = '', path = ''] = pair.split(/=(.*)/s, 2)
    if (name === '' || path === '')
      throw new UsageError(`--initrd-file: ${JSON.stringify(pair)} is not NAME=FILE`)
    return [name, path] as const
  })
  const all = [...stored, ...given]
  return all.length === 0
    ? {}
    : { files: Object.fromEntries(all.map(([name, path]) => [name, call.files.source(path)])) }
}

/** Sizes of option ROMs, separated by commas. */
function romsOf(call: Call, scenario: Scenario | null): Pick<CheckInput, 'pciRoms'> {
  const given = call.text('pci-roms')
  const sizes = given === undefined ? scenario?.pciRoms : given.split(',').map(size => parseSize(size))
  return sizes === undefined ? {} : { pciRoms: sizes }
}

function kaslrOf(text = 'command-line'): KaslrChoice {
  if (isKaslrChoice(text)) return text
  throw new UsageError(`--kaslr: ${JSON.stringify(text)} is none of ${KASLR_CHOICES.join(', ')}`)
}

/** The file itself, or what a section listing in it stands for. */
function fileOrListing(call: Call, path: string, kernel: string | undefined): Image {
  const source = call.files.source(path)
  if (!isListing(source.read(fileOffset(0), LISTING_HEAD))) return { name: path, source, stub: null }
  const { listing, problems } = readListing(call.files.bytes(path))
  if (listing === null) throw new UsageError(`${path}: ${problems.at(-1)?.what ?? 'no section listing'}`)
  return {
    name: `${path} (section listing${listing.fileName === null ? '' : ` of ${listing.fileName}`})`,
    ...imageOfListing(listing, problems, kernel),
  }
}

/** What a log says, for --observed, and what was odd about it. */
function observedOf(call: Call): Pick<CheckInput, 'observed'> & Required<Pick<MachineInput, 'problems'>> {
  const path = call.text('observed')
  if (path === undefined) return { problems: [] }
  const { facts, problems } = readObserved(call.files.bytes(path))
  const fatal = problems.find(problem => problem.fatal)
  if (fatal !== undefined) throw new UsageError(`${path}: ${fatal.what}`)
  return { observed: facts, problems: problems.map(({ id, at, what }) => ({ file: path, id, at, what })) }
}

function imageOf(call: Call, scenario: Scenario | null, scenarioPath: string): Image {
  const kernel = call.text('kernel') ?? scenario?.kernel
  if (call.operand !== null) return fileOrListing(call, call.operand, kernel)
  if (scenario === null) throw new UsageError('which image? Give FILE or --scenario FILE')
  if ('uki' in scenario.image)
    return {
      name: `${scenario.name ?? scenarioPath} (made in memory)`,
      source: ukiSource(scenario.image.uki),
      stub: null,
    }
  const path = beside(scenarioPath, scenario.image.file)
  return fileOrListing(call, path, kernel)
}

/** Everything that check() needs. Options of the command line win over the scenario. Throws UsageError. */
export async function checkInput(call: Call): Promise<CheckInput> {
  const scenarioPath = call.text('scenario') ?? ''
  const scenario = scenarioPath === '' ? null : await readScenario(call, scenarioPath)
  const wanted = machineWanted(call, scenario, scenarioPath)
  const taken = takenOf(call, scenario, wanted)
  const given = machineOf(call, wanted, scenarioPath, taken, {
    imageBase: call.quantity('image-base') ?? scenario?.imageBase,
    contents: oneOf(CONTENTS, call.text('contents')) ?? scenario?.contents,
  })
  const { problems: oddities, ...observed } = observedOf(call)
  const machine: MachineInput = {
    ...given,
    ...(oddities.length === 0 ? {} : { problems: [...(given.problems ?? []), ...oddities] }),
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
    ...observed,
    ...volumeOf(call, scenario, scenarioPath),
    ...romsOf(call, scenario),
    ...loadedBy(call, image.source),
    kaslr: kaslrOf(call.text('kaslr') ?? scenario?.kaslr),
    deep: call.has('deep') || (scenario?.deep ?? false),
    secureBoot: call.has('secure-boot') || (scenario?.secureBoot ?? false),
    shim: call.has('shim') || (scenario?.shim ?? false),
    la57: call.has('la57') || (scenario?.la57 ?? false),
    ...sourcesOf(call, scenario, scenarioPath),
  }
}

/** What the stub takes besides LoadOptions. */
function sourcesOf(
  call: Call,
  scenario: Scenario | null,
  scenarioPath: string,
): Pick<CheckInput, 'shell' | 'smbiosCmdline' | 'confidentialVm' | 'addons'> {
  const addons = call.text('addons')?.split(',') ?? scenario?.addons?.map(path => beside(scenarioPath, path))
  return {
    shell:
      call
        .text('shell-args')
        ?.split(' ')
        .filter(word => word !== '') ?? scenario?.shell,
    smbiosCmdline: call.text('smbios-cmdline') ?? scenario?.smbiosCmdline,
    confidentialVm: call.has('confidential-vm') || scenario?.confidentialVm,
    addons: addons?.map(path => ({ name: path.replace(/^.*\//s, ''), source: call.files.source(path) })),
  }
}
