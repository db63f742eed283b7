/** Recorded memory maps by firmware, scaled to other RAM sizes (chapter FW). */
import { UsageError } from '../bytes/errors.ts'
import { formatSize, range, rangeAt } from '../bytes/range.ts'
import { PAGE } from '../bytes/units.ts'
import {
  EFI_MEMORY_RUNTIME,
  EfiConventionalMemory,
  EfiMemoryMappedIO,
  EfiReservedMemoryType,
  type MemoryDescriptor,
} from '../image/memory-types.ts'
import { reported, splitMap } from './memory-map.ts'
import type { Profile } from './profile.ts'
import { PROFILES } from './profile-table.ts'

export type { Profile } from './profile.ts'
export { PROFILES } from './profile-table.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
/**
 * Minimum RAM of a map, in bytes: with less there is no room below OVMF's upper memory, and the layout
 * differs.
 */
export const RAM_MIN = 96 * MIB
/** Maximum RAM of a map, in bytes: OVMF reserves from 0xfd00000000 on. */
export const RAM_MAX = 768 * GIB
/** RAM of the recorded maps, in bytes. */
const RECORDED_RAM = 512 * MIB

/**
 * RAM below 4 GiB: all of it up to a threshold, a fixed amount from there on (FW-22). Source: QEMU 7.2
 * hw/i386/pc_q35.c, pc_piix.c, `info mtree`.
 */
const SPLITS = {
  q35: { from: 2816 * MIB, low: 2 * GIB },
  pc: { from: 3584 * MIB, low: 3 * GIB },
} as const

/**
 * The profile of that name; a name may leave out flash size (4M), then machine (q35), then version (2022.11):
 * `ovmf-2025.02`, `ovmf`. Throws UsageError.
 */
export function profileNamed(name: string): Profile {
  const found = PROFILES.find(profile => profile.id === name || profile.id.startsWith(`${name}-`))
  if (found === undefined)
    throw new UsageError(
      `unknown firmware profile '${name}'; known are ${PROFILES.map(profile => profile.id).join(', ')}`,
    )
  return found
}

/** Size of RAM below 4 GiB on this machine, in bytes. */
export function lowRam(machine: Profile['machine'], ramBytes: number): number {
  const { from, low } = SPLITS[machine]
  return ramBytes < from ? ramBytes : low
}

/** The assumption of using a profile with this much RAM; null if UKIs were booted on it at that size. */
export function profileAssumption(profile: Profile, ramBytes: number): string | null {
  const sizes = `${profile.recorded.map(String).join(', ')} MiB`
  if (profile.basis === 'application')
    return (
      `the memory map of ${profile.id} was recorded with ${sizes} and other devices: ` +
      'addresses in the upper free blocks may be some pages off'
    )
  return profile.recorded.includes(ramBytes / MIB)
    ? null
    : `the memory map of ${profile.id} with ${formatSize(ramBytes)} is scaled: it was recorded with ${sizes}`
}

function recordedMap(profile: Profile): MemoryDescriptor[] {
  return profile.map
    .join(' ')
    .split(' ')
    .map(word => {
      const [type = 0, start = 0, pages = 0] = word.split(/[:+]/u).map(digits => Number.parseInt(digits, 16))
      const ofMemory = type === EfiReservedMemoryType && start >= RECORDED_RAM ? 1n : 0xfn
      const attribute = type === EfiMemoryMappedIO ? EFI_MEMORY_RUNTIME | 1n : ofMemory
      return reported({ type, range: rangeAt(start, pages * PAGE), attribute })
    })
}

/**
 * The map before BDS loads a boot option, on a machine with `ramBytes` of RAM (FW-21): everything above the
 * largest free block keeps its distance from the top of low RAM, everything below is unchanged, RAM above 4
 * GiB is free. Throws UsageError outside 96 MiB to 768 GiB and if RAM is not a whole number of MiB.
 */
export function profileMap(profile: Profile, ramBytes: number): MemoryDescriptor[] {
  if (!(ramBytes >= RAM_MIN && ramBytes <= RAM_MAX) || ramBytes % MIB !== 0) {
    throw new UsageError(
      `RAM of ${String(ramBytes)} bytes: a profile needs whole MiB, from ` +
        `${formatSize(RAM_MIN)} to ${formatSize(RAM_MAX)}`,
    )
  }
  const low = lowRam(profile.machine, ramBytes)
  const { ram, foreign } = splitMap(recordedMap(profile))
  const free = ram.filter(descriptor => descriptor.type === EfiConventionalMemory)
  const largest = free.reduce((best, one) =>
    one.range.end - one.range.start > best.range.end - best.range.start ? one : best,
  )
  const shift = low - RECORDED_RAM
  const scaled = ram.map(descriptor => {
    const { start, end } = descriptor.range
    if (end <= largest.range.start) return reported(descriptor)
    return reported({
      ...descriptor,
      range: range(descriptor === largest ? start : start + shift, end + shift),
    })
  })
  const high =
    ramBytes > low
      ? [{ type: EfiConventionalMemory, range: rangeAt(4 * GIB, ramBytes - low), attribute: 0xfn }]
      : []
  return [...scaled, ...high, ...foreign]
}
