/**
 * Five-level paging: the trampoline that changes the number of levels, in low memory or in pages that the EFI
 * stub allocates. Chapters EP and ZO.
 */
import { formatRange, hex, rangeAt, sizeOf, type Range } from '../../../bytes/range.ts'
import { numberIn } from '../../../bytes/struct.ts'
import { alignDown, PAGE, phys, PHYS_END } from '../../../bytes/units.ts'
import { EFI32_LOADER_SIGNATURE, EFI64_LOADER_SIGNATURE } from '../../../image/x86/boot-params.ts'
import { E820_TYPE_RAM } from '../../../image/x86/e820-table.ts'
import { EfiLoaderData } from '../../../image/memory-types.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { isRam, zeroPageOf, type KernelBoot, type Step, type TrampolineStep, type Window } from '../boot.ts'
import { hasFlag, parametersOf } from './cmdline-parser.ts'

/**
 * A page table and a page of code. Source: linux@5.10.223 arch/x86/boot/compressed/pgtable.h
 * TRAMPOLINE_32BIT_SIZE.
 */
const TRAMPOLINE_SIZE = 2 * PAGE
/** Source: linux@5.10.223 arch/x86/boot/compressed/pgtable_64.c BIOS_START_MIN, BIOS_START_MAX. */
const BIOS_START_MIN = 0x20000
const BIOS_START_MAX = 0x9f000
/** Words of the BIOS: segment of the extended data area, and KiB of low memory. */
const EBDA_SEGMENT = 0x40e
const LOW_MEMORY = 0x413

/**
 * MAXMEM with four and with five levels. Source: linux@5.10.223 arch/x86/include/asm/sparsemem.h
 * MAX_PHYSMEM_BITS.
 */
const MAXMEM_4LEVEL = 2 ** 46
const MAXMEM_5LEVEL = PHYS_END

/** An entry of the e820 table. */
export interface Entry {
  readonly start: number
  readonly length: number
  readonly ram: boolean
}

/** Values in the BIOS data area, in bytes; zero on EFI, where they are not read. */
export interface BiosWords {
  readonly ebda: number
  readonly lowMemory: number
}

/**
 * find_trampoline_placement: below the end of the last entry of RAM that begins below the BIOS' memory and
 * has room; else right below that memory, regardless of what is there.
 */
export function trampolinePlace(entries: readonly Entry[], { ebda, lowMemory }: BiosWords): Range {
  const sane = lowMemory < BIOS_START_MIN || lowMemory > BIOS_START_MAX ? BIOS_START_MAX : lowMemory
  const top = alignDown(ebda > BIOS_START_MIN && ebda < sane ? ebda : sane, PAGE)
  for (const { start, length, ram } of [...entries].reverse()) {
    if (top <= start || !ram) continue
    const end = alignDown(Math.min(top, start + length), PAGE)
    // An entry that ends in the first two pages wraps around, and ends the search
    if (end < TRAMPOLINE_SIZE) break
    if (end - TRAMPOLINE_SIZE >= start) return rangeAt(end - TRAMPOLINE_SIZE, TRAMPOLINE_SIZE)
  }
  return rangeAt(top - TRAMPOLINE_SIZE, TRAMPOLINE_SIZE)
}

/**
 * Does head_64.S, or the EFI stub, change from four to five levels? `refused`: disabled on the command line.
 */
function wants({ machine, file }: KernelBoot, refused: boolean): boolean {
  return machine.settings.la57 && file.fiveLevels && !refused
}

/** Will the decompressor run with five levels? */
function decompressesWithFive(boot: KernelBoot): boolean {
  return wants(boot, hasFlag(boot.commandLine?.text ?? '', 'no5lvl'))
}

/** The highest address that the decompressor gives to the kernel, plus one. */
export function maxMem(boot: KernelBoot): number {
  return boot.machine.step('ZO-36', 'the number of paging levels limits physical memory', () =>
    decompressesWithFive(boot) ? MAXMEM_5LEVEL : MAXMEM_4LEVEL,
  )
}

function entriesOf(boot: KernelBoot): Entry[] {
  return zeroPageOf(boot)
    .e820()
    .map(({ addr, size, type }) => ({ start: addr, length: size, ram: type === E820_TYPE_RAM }))
}

function biosWords(boot: KernelBoot): BiosWords {
  const { machine } = boot
  const signature = zeroPageOf(boot).efi_info.get('efi_loader_signature')
  if (signature === EFI64_LOADER_SIGNATURE || signature === EFI32_LOADER_SIGNATURE)
    return { ebda: 0, lowMemory: 0 }
  if (
    !machine.memory.peek(rangeAt(EBDA_SEGMENT, 2)).known ||
    !machine.memory.peek(rangeAt(LOW_MEMORY, 2)).known
  ) {
    machine.assume(
      'ZO-34',
      `the BIOS data at ${hex(EBDA_SEGMENT)} and ${hex(LOW_MEMORY)} does not lower the end of low memory`,
    )
    return { ebda: 0, lowMemory: 0 }
  }
  const word = (at: number): number => numberIn(machine.memory.readRaw(rangeAt(at, 2)))
  return { ebda: word(EBDA_SEGMENT) * 16, lowMemory: word(LOW_MEMORY) * 1024 }
}

/** The low memory that head_64.S borrows, when it changes the number of paging levels or always. */
export function trampoline({ when, search }: KernelBehaviour['trampoline']): TrampolineStep {
  return (boot, window) => {
    const { machine } = boot
    const changes = decompressesWithFive(boot)
    machine.step('ZO-5', 'the decompressor checks the number of paging levels', () => {
      if (machine.settings.la57)
        machine.assume('ZO-5', 'the firmware or the loader runs with four levels of page tables')
      else machine.assume('ZO-5', 'five-level paging is off on both sides of the trampoline')
      if (!changes && when !== 'always') {
        machine.step('ZO-35', 'no change of paging levels is needed: there is no trampoline', () => undefined)
        return
      }
      if (search === 'assumed')
        machine.assume('ZO-34', 'this release searches for its trampoline like later ones')
      const place = machine.step('ZO-34', 'the decompressor searches for 8 KiB of low memory', () =>
        trampolinePlace(entriesOf(boot), biosWords(boot)),
      )
      useTrampoline(boot, place, () => {
        if (changes)
          machine.step('ZO-37', 'five levels: the top-level table goes where the copy will have it', () => {
            writeTopTable(boot, window)
          })
      })
    })
  }
}

function writeTopTable({ machine, file, object }: KernelBoot, { moved }: Window): void {
  machine.memory.make(rangeAt(moved + file.end - PAGE, PAGE), object, file.setupSize + file.end - PAGE)
}

/** Saves the memory in .bss of the running copy, writes the trampoline, and restores everything. */
function useTrampoline(boot: KernelBoot, place: Range, change: () => void): void {
  const { machine, file, zo, object } = boot
  const { memory } = machine
  if (!isRam(machine, place)) {
    machine.unmodelled('ZO-34', `the trampoline goes to ${formatRange(place)}, which is not entirely RAM`)
    change()
    return
  }
  const bss = rangeAt(zo + file.bss, file.ebss - file.bss)
  if (sizeOf(bss) < TRAMPOLINE_SIZE || !isRam(machine, bss)) {
    machine.unmodelled('ZO-5', 'the .bss in which low memory is saved is not entirely RAM')
    change()
    return
  }
  const [foreign] = memory.occupants(bss, owner => owner === object)
  if (foreign !== undefined)
    machine.unmodelled(
      'ZO-5',
      'low memory is saved somewhere in .bss of the running copy, where ' +
        `${foreign.whose?.object ?? 'something'} lies`,
    )
  const saved = phys(bss.end - TRAMPOLINE_SIZE)
  memory.copy(saved, place)
  memory.make(place, 'trampoline')
  change()
  memory.copy(place.start, rangeAt(saved, TRAMPOLINE_SIZE))
}

/** What the EFI stub allocates to change the number of paging levels. */
export function paging({ by }: KernelBehaviour['paging']): Step {
  return by === 'efi-stub' ? setup5LevelPaging : leaveLevelsToHead64
}

/** The EFI stub leaves paging to head_64.S. */
function leaveLevelsToHead64({ machine }: KernelBoot): void {
  if (machine.settings.la57)
    machine.step('ZO-5', 'the decompressor changes the number of paging levels', () => undefined)
}

const LAST_BELOW_4G = 2 ** 32 - 1

/** On a CPU with LA57 the EFI stub allocates two pages below 4 GiB, regardless of the command line. */
function setup5LevelPaging(boot: KernelBoot): void {
  const { machine } = boot
  if (!machine.settings.la57) return
  machine.step('EP-53', 'the EFI stub allocates two pages below 4 GiB for its trampoline', () => {
    const got = machine.firmware.allocatePages(
      { kind: 'max', limit: LAST_BELOW_4G },
      EfiLoaderData,
      TRAMPOLINE_SIZE / PAGE,
      'efi-stub:trampoline',
    )
    if (got.status !== 'EFI_SUCCESS')
      return machine.refuse(
        'EP-53',
        got.status,
        'no two free pages below 4 GiB',
        'efi_setup_5level_paging() failed!\nefi_stub_entry() failed!',
      )
    machine.memory.make(rangeAt(got.at, PAGE), 'efi-stub:trampoline')
    boot.trampolineAt = got.at
  })
}

/**
 * Boot services are over: the trampoline's second page becomes the top-level table if five levels are
 * enabled.
 */
export function switch5LevelPaging(boot: KernelBoot): void {
  const { machine, trampolineAt } = boot
  if (trampolineAt === null) {
    machine.assume('EP-24', 'five-level paging is off, so the trampoline below 4 GiB is not used')
    return
  }
  machine.step('EP-54', 'the EFI stub changes the number of paging levels', () => {
    machine.assume('EP-54', 'the firmware runs with four levels of page tables')
    const refused = parametersOf(boot.commandLine?.text ?? '').some(({ name }) => name === 'no5lvl')
    if (!wants(boot, refused)) return
    machine.memory.make(rangeAt(trampolineAt + PAGE, PAGE), 'efi-stub:trampoline', PAGE)
    machine.enter(
      rangeAt(trampolineAt, PAGE),
      'efi-stub:trampoline',
      0,
      'the trampoline below 4 GiB was overwritten',
    )
  })
}
