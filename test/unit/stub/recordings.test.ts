import { expect, test } from 'vitest'
import { hex, sizeOf } from '../../../src/bytes/range.ts'
import { createFirmware } from '../../../src/firmware/boot-services.ts'
import type { Content } from '../../../src/image/content.ts'
import type { KernelFacts } from '../../../src/image/x86/kernel-facts.ts'
import { EfiLoaderData, type MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildFromLayout, buildKernel } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { createMachine, Stop, type Notes, type Outcome } from '../../../src/machine/machine.ts'
import type { HandOff } from '../../../src/machine/model.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { stubModel } from '../../../src/stub/boot.ts'
import { mapBeforeLoad, parseMap, readRecordings, type Recording } from '../../oracle/recording.ts'
import { recipeOf } from '../../oracle/recipes.ts'
import { recordedKernel } from '../../support/kernel-fixtures.ts'
import { eraOf } from '../../support/stub-run.ts'

const ROWS = {
  '247.3': 'systemd-stub/S2',
  '252.39': 'systemd-stub/S4/252.36',
  '254.26': 'systemd-stub/S6/254.24',
  '257.13': 'systemd-stub/S6/257.11',
  '262.1': 'systemd-stub/S8',
} as const
const OSREL = 'ID=oracle\nVERSION_ID=1\nPRETTY_NAME="oracle"\n'

function contentsOf(recording: Recording): Record<string, readonly Content[]> {
  const { facts } = recordedKernel(recording.kernel)
  const recipe = recipeOf(recording)
  const old: KernelFacts = {
    ...facts,
    pe: { ...facts.pe, optional: { ...facts.pe.optional, MajorImageVersion: 0 } },
  }
  const kernel: Content =
    recipe.kernel === 'text'
      ? { text: 'this is not a kernel\n'.repeat(900) }
      : buildKernel(recipe.kernel === 'major0' ? old : facts)
  return {
    '.linux': [kernel, { text: 'junk'.repeat(4096) }],
    '.initrd': [{ initrd: 0x4a7e00 }],
    '.cmdline': [{ text: recipe.commandLine }],
    '.osrel': [{ text: OSREL }],
    '.uname': [{ text: recording.kernel }],
  }
}

interface Boot {
  readonly handOff: HandOff | null
  readonly outcome: Outcome | null
  /** What loaders hold when the kernel is entered, or the stub gives up. */
  readonly loaderPages: readonly string[]
  /** Where the next pool buffer for the command line lies that the kernel got. */
  readonly nextCommandLine: number | null
  readonly notes: Notes
  readonly base: number
}

/** Where the kernel that is entered lies. */
function imageOf(handOff: HandOff | null): number {
  if (handOff === null) return 0
  return handOff.via === 'pe-entry' ? handOff.loaded.base : handOff.image
}

const booted = new WeakMap<Recording, Boot>()

/** A recording is booted once: each is of one stub, on one map. */
function boot(recording: Recording, era: string, map: readonly MemoryDescriptor[]): Boot {
  const known = booted.get(recording)
  if (known !== undefined) return known
  const made = bootAnew(recording, era, map)
  booted.set(recording, made)
  return made
}

function bootAnew(recording: Recording, era: string, map: readonly MemoryDescriptor[]): Boot {
  const recorder = new Recorder()
  const memory = new Memory(recorder)
  const stub = STUB_FACTS[recording.stub as keyof typeof ROWS]
  const end = Math.max(...recording.layout.map(([, , , at, size]) => Number(at) + Number(size)))
  const stripped =
    recipeOf(recording).tool === 'ukify'
      ? { size: end, coff: { PointerToSymbolTable: 0, NumberOfSymbols: 0 } }
      : {}
  const source = buildFromLayout({
    stub,
    layout: recording.layout,
    contents: contentsOf(recording),
    optional: { SizeOfImage: recording.size_of_image },
    ...stripped,
  })
  const notes: Notes = { assumptions: [], doubts: [], facts: {} }
  const firmware = createFirmware({ memory, recorder, map, contents: 'ovmf', assume: () => undefined })
  const machine = createMachine(
    recorder,
    memory,
    firmware,
    { secureBoot: false, kaslr: 'command-line' },
    notes,
  )
  const { pe } = parsePe(source)
  const owners = pe === null ? [] : viewUki(pe).sections
  const loaded = firmware.loadImage({
    from: { kind: 'file', source },
    name: 'uki',
    ownerOf: section => ({ object: owners[section.index]?.object ?? 'uki', at: 0 }),
  })
  if (loaded.image === null) throw new Error(`${recording.id}: the firmware refuses: ${loaded.why}`)
  const { base } = loaded.image
  const ended = (handOff: HandOff | null, outcome: Outcome | null): Boot => {
    const held = loaderPages(firmware.memoryMap())
    const cmdline = recording.trace.boot_params_final?.cmdline ?? ''
    const nextCommandLine = firmware.allocatePool(EfiLoaderData, cmdline.length + 1, 'cmdline').at
    return { handOff, outcome, loaderPages: held, nextCommandLine, notes, base }
  }
  try {
    return ended(stubModel(eraOf(era)).boot(machine, loaded.image), null)
  } catch (stop) {
    if (stop instanceof Stop) return ended(null, stop.outcome)
    throw stop
  }
}

/** What loaders hold: `type:start+pages`, types 1 and 2. */
const loaderPages = (map: readonly MemoryDescriptor[]): string[] =>
  map
    .filter(({ type }) => type === 1 || type === 2)
    .map(
      ({ type, range }) =>
        `${String(type)}:${range.start.toString(16)}+${(sizeOf(range) / 0x1000).toString(16)}`,
    )

const usable = readRecordings().flatMap(recording => {
  const era = ROWS[recording.stub as keyof typeof ROWS] as string | undefined
  const map = mapBeforeLoad(recording)
  return era === undefined || map === null || recording.kernel.startsWith('tiny-')
    ? []
    : [{ recording, era, map, id: recording.id }]
})
const entered = usable.filter(({ recording }) => recording.trace.kernel_entry !== undefined)

test('there are recordings of every row', () => {
  const count = (stub: string) => entered.filter(({ recording }) => recording.stub === stub).length
  expect([count('247.3'), count('252.39'), count('254.26'), count('257.13'), count('262.1')]).toEqual([
    58, 12, 27, 78, 13,
  ])
})

/**
 * This firmware had no room left in its own pool and took a page of EfiBootServicesData while it loaded the
 * kernel, which no map tells beforehand.
 */
const TOOK_A_PAGE = 'machine-pc/257.13/6.12'

test('where the firmware took a page for itself, the kernel lies one page lower than expected', () => {
  for (const { recording, era, map } of entered.filter(({ id }) => id === TOOK_A_PAGE)) {
    const { handOff } = boot(recording, era, map)
    expect(imageOf(handOff) - Number(recording.trace.kernel_entry?.image_at)).toBe(0x1000)
  }
})

test.each(entered.filter(({ id }) => id !== TOOK_A_PAGE))(
  '$id: the kernel is entered where it was, and loaders hold the same pages',
  ({ recording, era, map }) => {
    const { handOff, outcome, loaderPages: held, notes, base } = boot(recording, era, map)
    const {
      kernel_entry: entry,
      boot_params_from_stub: stubParams,
      image_base,
      efi_map_at_kernel_entry,
    } = recording.trace
    expect(outcome).toBeNull()
    expect(hex(base)).toBe(image_base)
    expect(handOff?.via).toBe(entry?.kind === 'handover64' ? 'efi-handover' : 'pe-entry')
    expect(hex(imageOf(handOff))).toBe(entry?.image_at)
    expect(hex(handOff?.entry ?? 0)).toBe(entry?.rip)
    if (stubParams !== undefined) {
      expect(hex(notes.facts.bootParams ?? 0)).toBe(stubParams.at)
      expect(hex(notes.facts.cmdLinePtr ?? 0)).toBe(stubParams.cmd_line_ptr)
      expect(hex(notes.facts.ramdiskImageFromStub ?? 0)).toBe(stubParams.ramdisk_image)
    }
    if (efi_map_at_kernel_entry !== undefined)
      expect(held).toEqual(loaderPages(parseMap(efi_map_at_kernel_entry)))
  },
)

const offered = entered.filter(
  ({ recording }) =>
    recording.trace.kernel_entry?.kind === 'pe_entry' && recording.trace.boot_params_final !== undefined,
)

test.each(offered)(
  '$id: the initrd that waits has the size that the kernel got',
  ({ recording, era, map }) => {
    const { handOff } = boot(recording, era, map)
    expect(hex(handOff?.via === 'pe-entry' ? (handOff.initrd?.size ?? 0) : 0)).toBe(
      recording.trace.boot_params_final?.ramdisk_size,
    )
  },
)

const ownPool = offered.filter(
  ({ recording }) => recording.trace.boot_params_final?.cmdline?.startsWith('console=ttyS0') === true,
)

test('there are recorded command lines that the kernel put into pool', () => {
  expect(ownPool.map(({ recording }) => recording.stub).filter(stub => stub === '254.26')).toHaveLength(22)
  expect(ownPool.map(({ recording }) => recording.stub).filter(stub => stub === '257.13')).toHaveLength(50)
  expect(ownPool.map(({ recording }) => recording.stub).filter(stub => stub === '252.39')).toHaveLength(12)
  expect(ownPool.map(({ recording }) => recording.stub).filter(stub => stub === '262.1')).toHaveLength(13)
})

test.each(ownPool)(
  '$id: the next pool buffer for a command line lies where the kernel got one',
  ({ recording, era, map }) => {
    const { nextCommandLine } = boot(recording, era, map)
    expect(hex(nextCommandLine ?? 0)).toBe(recording.trace.boot_params_final?.cmd_line_ptr)
  },
)

const refused = usable.filter(({ recording }) =>
  recording.serial.errors?.some(line => line.startsWith('Execution of embedded')),
)

test('there are recorded refusals', () => {
  expect(refused.map(({ id }) => id)).toEqual([
    'h4-duplicate-linux-second-is-junk/247.3/5.10',
    'i3-no-linux/247.3/5.10',
    'i4-linux-is-text/247.3/5.10',
  ])
})

test.each(refused)('$id: refused, in the recorded words', ({ recording, era, map }) => {
  const { outcome } = boot(recording, era, map)
  expect(outcome).toMatchObject({
    kind: 'refused',
    refusal: { by: 'stub', status: 'EFI_LOAD_ERROR', message: recording.serial.errors?.[0] },
  })
})
