/** The end of boot services: the last memory map, and its copy in boot_params. Chapter EP. */
import { rangeAt, sizeOf, type Range } from '../../../bytes/range.ts'
import { phys } from '../../../bytes/units.ts'
import { efi_info, EFI64_LOADER_SIGNATURE } from '../../../image/x86/boot-params.ts'
import { EfiACPIReclaimMemory, EfiLoaderData } from '../../../image/memory-types.ts'
import type { Machine } from '../../../machine/machine.ts'
import { guestBytes } from '../../../memory/guest-struct.ts'
import type { KernelBehaviour } from '../behaviour.ts'
import { zeroPageOf, type KernelBoot, type Step } from '../boot.ts'
import { DESCRIPTOR_SIZE, MAP, MAP_HEAD } from './map-buffer.ts'
import { roomForEntries, writeEntries, type GiveUp } from './e820.ts'
import { keepTables, noteSecureBoot } from './persistent-tables.ts'
import { keepRoms } from './setup-data.ts'
import { markUnaccepted, passOverUnaccepted, takeBitmap } from './unaccepted.ts'

/**
 * Size of the first attempt: 32 descriptors of the size that linux knows. Source: linux@5.10.223
 * drivers/firmware/efi/libstub/mem.c efi_get_memory_map.
 */
const FIRST_TRY = 32 * 40

interface MapBuffer {
  readonly at: number
  /** Bytes in front of the first descriptor. */
  readonly head: number
  /** Capacity in descriptors. */
  readonly descriptors: number
}
/** A pool buffer of a memory type, with spare descriptors; null if there is no pool memory. */
type TakeBuffer = (machine: Machine, type: number, slack: number) => MapBuffer | null

const countOf = (machine: Machine): number => machine.firmware.memoryMap().length

/** Tries sizes until one has room for `slack` more descriptors than the map has. */
const grown: TakeBuffer = (machine, type, slack) =>
  machine.step(
    'EP-44',
    'the EFI stub tries larger buffers for the memory map until one has spare room',
    () => {
      for (let size = FIRST_TRY; ;) {
        const { at } = machine.firmware.allocatePool(type, size, MAP)
        if (at === null) return null
        const needed = countOf(machine) * DESCRIPTOR_SIZE
        if (size >= needed + slack * DESCRIPTOR_SIZE)
          return { at, head: 0, descriptors: Math.floor(size / DESCRIPTOR_SIZE) }
        machine.firmware.freePool(at)
        size = needed + slack * DESCRIPTOR_SIZE
      }
    },
  )

/** Queries the size, then allocates it plus `slack` descriptors and a header. */
const askedFor: TakeBuffer = (machine, type, slack) => {
  const descriptors = countOf(machine) + slack
  const { at } = machine.firmware.allocatePool(type, MAP_HEAD + descriptors * DESCRIPTOR_SIZE, MAP)
  return at === null ? null : { at, head: MAP_HEAD, descriptors }
}

const TYPES = { EfiLoaderData, EfiACPIReclaimMemory } as const

/** Reads the last memory map and ends boot services. */
export function exit({ map, buffer, slack, unaccepted }: KernelBehaviour['exit']): Step {
  const take = buffer === 'grown' ? grown : askedFor
  return boot => {
    const { machine } = boot
    const giveUp: GiveUp = (status, why, first) =>
      machine.refuse('EP-18', status, why, `${first === undefined ? '' : `${first}\n`}exit_boot() failed!`)
    keepTables(boot)
    keepRoms(boot)
    noteSecureBoot(boot)
    if (!unaccepted) passOverUnaccepted(boot)
    const room = unaccepted
      ? roomByMap(boot, slack, giveUp)
      : roomForEntries(boot, countOf(machine) + slack, giveUp)
    machine.step('EP-18', 'the EFI stub reads the memory map and ends boot services', () => {
      const got = take(machine, TYPES[map], slack)
      if (got === null) return giveUp('EFI_OUT_OF_RESOURCES', 'no pool memory for the memory map')
      boot.finalMap = machine.firmware.memoryMap()
      const used = rangeAt(got.at + got.head, boot.finalMap.length * DESCRIPTOR_SIZE)
      machine.memory.make(rangeAt(got.at, got.head + sizeOf(used)), MAP)
      const added = machine.firmware.addedOnExit ?? 0
      if (boot.finalMap.length + added > got.descriptors)
        return giveUp(
          'EFI_BUFFER_TOO_SMALL',
          `the map has grown by ${String(added)} descriptors when it is read again, and the ` +
            `buffer has room for ${String(got.descriptors - boot.finalMap.length)}`,
        )
      machine.firmware.exitBootServices()
      boot.efiMap = { range: used, at: got.head }
      describeMap(boot, used)
    })
    markUnaccepted(boot)
    writeEntries(boot, boot.takesUnaccepted, room, giveUp)
  }
}

/** The map is read into loader data for allocating the room, and freed. */
function roomByMap(boot: KernelBoot, slack: number, giveUp: GiveUp): ReturnType<typeof roomForEntries> {
  const { machine } = boot
  return machine.step('EP-43', 'the EFI stub reads the memory map to count its descriptors', () => {
    const map = askedFor(machine, EfiLoaderData, slack)
    if (map === null) return giveUp('EFI_OUT_OF_RESOURCES', 'no pool memory for the memory map')
    const room = roomForEntries(boot, countOf(machine) + slack, giveUp)
    takeBitmap(boot, giveUp)
    machine.firmware.freePool(phys(map.at))
    return room
  })
}

function describeMap(boot: KernelBoot, map: Range): void {
  const info = guestBytes(efi_info, {
    efi_loader_signature: EFI64_LOADER_SIGNATURE,
    efi_memdesc_size: DESCRIPTOR_SIZE,
    efi_memdesc_version: 1,
    efi_memmap: map.start % 2 ** 32,
    efi_memmap_hi: Math.floor(map.start / 2 ** 32),
    efi_memmap_size: sizeOf(map),
  })
  zeroPageOf(boot).efi_info.patch(0, info)
}
