/** Slot initrd: the pieces, and how they become one stretch of memory (chapter ST). */
import { rangeAt } from '../../../../src/bytes/range.ts'
import { add, alignUp, pagesOf, type Phys } from '../../../../src/bytes/units.ts'
import { EfiLoaderData } from '../../../../src/image/memory-types.ts'
import { told } from '../../../../src/machine/told.ts'
import type { Part } from '../../../../src/memory/memory.ts'
import type { Booting, Found, Initrd, Located, Piece } from '../model.ts'
import { archiveOf } from './cpio.ts'
import { sectionOf } from './locate.ts'
import { pagesOrHalt, poolOrHalt } from './patch.ts'

/** Highest address for a joined initrd. */
const BELOW_4G = { kind: 'max', limit: 0xffffffff } as const
/** What a joined initrd is called. */
export const JOINED = 'initrd:joined'

/** Where a piece comes from. */
export type PieceStep = (on: Booting, located: Located) => Piece | null

/** The address of `.initrd` in the image, or of the image where there is none. */
export function initrdInImage({ machine, self }: Booting, located: Located): Initrd {
  return machine.step('ST-19', 'takes the initrd', () => {
    const found = located.get('.initrd')
    if (found === undefined) return { at: self.base, size: 0, object: null }
    return { at: found.at, size: found.size, object: found.size > 0 ? found.object : null }
  })
}

/** A section as it lies in the image. */
export function sectionPiece(name: string): PieceStep {
  const take: PieceStep = (_, located) => {
    const section = sectionOf(located, name)
    return section === null
      ? null
      : {
          at: section.at,
          size: section.size,
          parts: [{ object: section.object, at: 0, length: section.size }],
          section,
        }
  }
  return told(take, { name })
}

/** A section packed into an archive as `.extra/<file>`, in pool. */
export function archivePiece(name: string, file: string): PieceStep {
  const take: PieceStep = (on, located) => {
    const section = sectionOf(located, name)
    return section === null ? null : on.machine.step('ST-21', `packs ${name}`, () => pack(on, section, file))
  }
  return told(take, { name, file })
}

function pack(on: Booting, section: Found, file: string): Piece {
  const { memory, firmware } = on.machine
  const { head, tail, growth } = archiveOf('.extra', file, section.size)
  const object = `cpio:${section.name}`
  let start = poolOrHalt(on, 'ST-21', growth[0], object)
  for (const size of growth.slice(1)) {
    const next = poolOrHalt(on, 'ST-21', size, object)
    firmware.freePool(start)
    start = next
  }
  memory.patch(start, head, object)
  memory.copy(add(start, head.length), rangeAt(section.at, section.size))
  memory.patch(add(start, head.length + section.size), tail, object, head.length)
  const parts = [
    { object, at: 0, length: head.length },
    { object: section.object, at: 0, length: section.size },
    { object, at: head.length, length: tail.length },
  ]
  return { at: start, size: head.length + section.size + tail.length, parts, section: null }
}

/** How an era makes one initrd of its pieces. */
export interface Joining {
  /** In the order in which they are joined. */
  readonly pieces: readonly PieceStep[]
  /** The same in the order in which they are made. Default: as they are joined. */
  readonly made?: readonly PieceStep[]
  /** Are these joined, or is the only one handed over as it lies? */
  readonly joins: (pieces: readonly Piece[]) => boolean
  /** What the list of pieces takes in pool. */
  readonly list: (on: Booting, pieces: number) => void
  /** Pages for the joined initrd. */
  readonly pages: (on: Booting, count: number) => Phys
  /** What happens when there is no piece at all. */
  readonly none: (on: Booting) => null
}

/** Joins as soon as the stub adds something to `.initrd`. */
export function whenSomethingIsAdded(pieces: readonly Piece[]): boolean {
  return pieces.some(({ section }) => section?.name !== '.initrd')
}

/** Joins two pieces or more. */
export function whenMoreThanOne(pieces: readonly Piece[]): boolean {
  return pieces.length > 1
}

/** The list lies on the stack. */
export function keepsNoList(): void {
  // Nothing is allocated.
}

/** sizeof(struct iovec) */
const IOVEC = 16

/** The list lies in pool and grows piece by piece. */
export function keepsList(on: Booting, pieces: number): void {
  on.machine.step('ST-51', 'lists the pieces', () => {
    let list: Phys | null = null
    for (let count = 1; count <= pieces; count++) {
      const next = poolOrHalt(on, 'ST-51', IOVEC * count, 'stub:initrds')
      if (list !== null) on.machine.firmware.freePool(list)
      list = next
    }
  })
}

/** Below 4 GiB or not at all. */
export function pagesBelow4G(on: Booting, pages: number): Phys {
  return pagesOrHalt(on, 'ST-23', { where: BELOW_4G, type: EfiLoaderData, pages, label: JOINED })
}

/** Below 4 GiB, else anywhere. */
export function pagesBelow4GFirst(on: Booting, pages: number): Phys {
  return on.machine.step('ST-24', 'finds room for the initrd', () => {
    const low = on.machine.firmware.allocatePages(BELOW_4G, EfiLoaderData, pages, JOINED)
    return low.status === 'EFI_SUCCESS'
      ? low.at
      : pagesOrHalt(on, 'ST-24', { where: { kind: 'any' }, type: EfiLoaderData, pages, label: JOINED })
  })
}

/** Without a piece there is no initrd. */
export function noInitrd(): null {
  return null
}

/** Without a piece the stub reads through a null pointer. */
export function readsThroughNull({ machine }: Booting): null {
  return machine.step('ST-25', 'takes the only piece of none', () =>
    machine.gap(
      'ST-25',
      'no piece of an initrd: the stub reads the first entry of a list that it never made',
    ),
  )
}

/** One initrd of all pieces. */
export function joined(joining: Joining): (on: Booting, located: Located) => Initrd | null {
  const make = (on: Booting, located: Located): Initrd | null =>
    on.machine.step('ST-20', 'makes the initrd', () => {
      on.machine.assume(
        'ST-20',
        'no credentials, system extensions or other files beside the image on the ESP, no initrd and no boot secret from a loader before the stub',
      )
      const made = new Map((joining.made ?? joining.pieces).map(step => [step, step(on, located)]))
      const own = joining.pieces.map(step => made.get(step) ?? null).filter(piece => piece !== null)
      const pieces = [...(on.addons?.ucodes ?? []), ...own, ...(on.addons?.initrds ?? [])]
      const [only] = pieces
      if (only === undefined) return joining.none(on)
      joining.list(on, pieces.length)
      if (joining.joins(pieces))
        return on.machine.step('ST-22', 'joins the initrd', () => join(on, pieces, joining.pages))
      if (only.section !== null) return { at: only.at, size: only.size, object: only.section.object }
      on.machine.memory.compose(JOINED, only.parts)
      return { at: only.at, size: only.size, object: JOINED }
    })
  return told(make, { ...joining })
}

function join(on: Booting, pieces: readonly Piece[], pages: Joining['pages']): Initrd {
  const { memory, firmware } = on.machine
  const size = pieces.reduce((sum, piece) => sum + alignUp(piece.size, 4), 0)
  const at = pages(on, pagesOf(size))
  const parts: Part[] = []
  let next = at
  pieces.forEach((piece, index) => {
    const padding = alignUp(piece.size, 4) - piece.size
    memory.copy(next, rangeAt(piece.at, piece.size))
    parts.push(...piece.parts)
    if (padding > 0) {
      const object = `${JOINED}:padding-${String(index)}`
      memory.zero(rangeAt(next + piece.size, padding), object)
      parts.push({ object, at: 0, length: padding })
    }
    next = add(next, piece.size + padding)
  })
  memory.compose(JOINED, parts)
  for (const piece of pieces) if (piece.section === null && piece.kept !== true) firmware.freePool(piece.at)
  return { at, size, object: JOINED }
}
