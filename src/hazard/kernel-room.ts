/** The memory that a kernel takes when it is entered where .linux was loaded: common to the advice. HZ-11. */
import { parseBzImage } from '../image/x86/bzimage.ts'
import type { UkiView } from '../image/uki.ts'
import type { RoomFor } from './advised-places.ts'
import type { Placed } from './layout.ts'
import { ADVICE_MAX } from './rule.ts'

/** The memory that a kernel needs from the start of its section on; all sizes in bytes. */
export interface KernelRoom {
  readonly need: number
  /** SizeOfImage of its own PE header; undefined if it has none. */
  readonly own: number | undefined
  readonly init_size: number
}

/** The need of the kernel in a `.linux`; null for any other section, and if it contains no kernel. */
export function kernelRoom({ sections }: UkiView, { name, index }: Placed): KernelRoom | null {
  const content = sections[index]?.content
  const kernel = content === undefined || name !== '.linux' ? null : parseBzImage(content).bzimage
  if (content === undefined || kernel === null) return null
  const { init_size } = kernel.hdr
  const own = kernel.pe?.optional.SizeOfImage
  return { need: Math.max(content.size, own ?? init_size), own, init_size }
}

/**
 * The `.linux` sections that a stub may use: the first ones and the last ones, ADVICE_MAX in all. Those
 * between are reported by duplicate-section.
 */
export function firstAndLast(sections: readonly Placed[]): readonly Placed[] {
  const linux = sections.filter(({ name }) => name === '.linux')
  return linux.length <= ADVICE_MAX
    ? linux
    : [...linux.slice(0, ADVICE_MAX / 2), ...linux.slice(-ADVICE_MAX / 2)]
}

/** The needs of the kernels in a file. */
export function kernelRooms(uki: UkiView, sections: readonly Placed[]): RoomFor {
  const needs = new Map(firstAndLast(sections).map(one => [one.index, kernelRoom(uki, one)?.need ?? 0]))
  return ({ index }) => needs.get(index) ?? 0
}
