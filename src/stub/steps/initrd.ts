/** Slot initrd: the pieces, and how they become one contiguous initrd (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { add, alignUp, pagesOf, type Phys } from '../../bytes/units.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { InitrdBehaviour, PieceName } from '../behaviour.ts'
import type { Part } from '../../memory/memory.ts'
import type { Initrd, InitrdPiece, PayloadSection, Sections, StubContext } from '../model.ts'
import { archiveOf } from './cpio.ts'
import { sectionOf } from './locate.ts'
import { xmalloc, xmallocPages } from './xmalloc.ts'

/** Highest address for a joined initrd. */
const BELOW_4G = { kind: 'max', limit: 0xffffffff } as const
/** Object name of a joined initrd. */
export const JOINED = 'initrd:joined'

/** The address of `.initrd` in the image, or of the image if there is none. */
function initrdInImage({ machine, self }: StubContext, sections: Sections): Initrd {
  return machine.step('ST-19', 'takes the initrd', () => {
    const found = sections.get('.initrd')
    if (found === undefined) return { at: self.base, size: 0, object: null }
    return { at: found.at, size: found.size, object: found.size > 0 ? found.object : null }
  })
}

/** Files in the archives that are made from sections. */
const ARCHIVED: Readonly<Partial<Record<PieceName, string>>> = {
  '.pcrsig': 'tpm2-pcr-signature.json',
  '.pcrpkey': 'tpm2-pcr-public-key.pem',
  '.osrel': 'os-release',
  '.profile': 'profile',
}

/** A section in the image, or packed into a cpio archive in pool as `.extra/<file>`. */
function makePiece(ctx: StubContext, sections: Sections, name: PieceName): InitrdPiece | null {
  const section = sectionOf(sections, name)
  if (section === null) return null
  const file = ARCHIVED[name]
  if (file !== undefined)
    return ctx.machine.step('ST-21', `pack_cpio_literal packs ${name}`, () => pack(ctx, section, file))
  return {
    at: section.at,
    size: section.size,
    parts: [{ object: section.object, at: 0, length: section.size }],
    section,
  }
}

function pack(ctx: StubContext, section: PayloadSection, file: string): InitrdPiece {
  const { memory, firmware } = ctx.machine
  const { head, tail, growth } = archiveOf('.extra', file, section.size)
  const object = `cpio:${section.name}`
  let start = xmalloc(ctx, 'ST-21', growth[0], object)
  for (const size of growth.slice(1)) {
    const next = xmalloc(ctx, 'ST-21', size, object)
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

/** Are the pieces joined, or is a single one handed over in place? */
function areJoined(pieces: readonly InitrdPiece[], { joined }: InitrdBehaviour): boolean {
  if (joined === 'two or more') return pieces.length > 1
  return pieces.some(({ section }) => section?.name !== '.initrd')
}

/** sizeof(struct iovec) */
const IOVEC = 16

/** The list is in pool and grows piece by piece. */
function growList(ctx: StubContext, pieces: number): void {
  ctx.machine.step('ST-51', 'iovec_array_extend lists the pieces', () => {
    let list: Phys | null = null
    for (let count = 1; count <= pieces; count++) {
      const next = xmalloc(ctx, 'ST-51', IOVEC * count, 'stub:initrds')
      if (list !== null) ctx.machine.firmware.freePool(list)
      list = next
    }
  })
}

/** Pages for the joined initrd: below 4 GiB or not at all, or anywhere when there is no room below. */
function pagesFor(ctx: StubContext, pages: number, how: InitrdBehaviour['pages']): Phys {
  const request = { type: EfiLoaderData, pages, label: JOINED }
  if (how === 'below 4 GiB') return xmallocPages(ctx, 'ST-23', { where: BELOW_4G, ...request })
  return ctx.machine.step('ST-24', 'xmalloc_initrd_pages finds room for the initrd', () => {
    const low = ctx.machine.firmware.allocatePages(BELOW_4G, EfiLoaderData, pages, JOINED)
    return low.status === 'EFI_SUCCESS'
      ? low.at
      : xmallocPages(ctx, 'ST-24', { where: { kind: 'any' }, ...request })
  })
}

/** Without a piece there is no initrd, or the stub reads through a null pointer. */
function withoutPieces({ machine }: StubContext, what: InitrdBehaviour['withoutPieces']): null {
  if (what === 'no initrd') return null
  return machine.step('ST-25', 'uses the only piece, if any', () =>
    machine.gap('ST-25', 'no initrd pieces: the stub reads the first entry of a list it never allocated'),
  )
}

/** The initrd of a release: `.initrd` in place, or all pieces joined. */
export function makeInitrd(
  behaviour: InitrdBehaviour,
): (ctx: StubContext, sections: Sections) => Initrd | null {
  if (behaviour.joined === 'never') return initrdInImage
  return (ctx, sections) =>
    ctx.machine.step('ST-20', 'makes the initrd', () => combineInitrds(ctx, sections, behaviour))
}

function combineInitrds(ctx: StubContext, sections: Sections, behaviour: InitrdBehaviour): Initrd | null {
  ctx.machine.assume(
    'ST-20',
    'no credentials, system extensions or other files beside the image on the ESP, no ' +
      'initrd and no boot secret from an earlier boot loader',
  )
  const made = new Map(behaviour.made.map(name => [name, makePiece(ctx, sections, name)]))
  const own = behaviour.pieces.map(name => made.get(name) ?? null).filter(piece => piece !== null)
  const pieces = [...(ctx.addons?.ucodes ?? []), ...own, ...(ctx.addons?.initrds ?? [])]
  const [only] = pieces
  if (only === undefined) return withoutPieces(ctx, behaviour.withoutPieces)
  if (behaviour.list === 'pool') growList(ctx, pieces.length)
  if (areJoined(pieces, behaviour))
    return ctx.machine.step('ST-22', 'combine_initrd joins the initrd', () =>
      join(ctx, pieces, behaviour.pages),
    )
  if (only.section !== null) return { at: only.at, size: only.size, object: only.section.object }
  ctx.machine.memory.compose(JOINED, only.parts)
  return { at: only.at, size: only.size, object: JOINED }
}

function join(ctx: StubContext, pieces: readonly InitrdPiece[], pages: InitrdBehaviour['pages']): Initrd {
  const { memory, firmware } = ctx.machine
  const size = pieces.reduce((sum, piece) => sum + alignUp(piece.size, 4), 0)
  const at = pagesFor(ctx, pagesOf(size), pages)
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
