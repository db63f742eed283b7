/** Slots payload and initrd: kernel and initrd in pool (chapter LZ). */
import { rangeAt } from '../../../bytes/range.ts'
import type { ByteSource } from '../../../bytes/source.ts'
import { add, alignUp, type Phys } from '../../../bytes/units.ts'
import type { ObjectId } from '../../../memory/extent.ts'
import type { LanzabooteBehaviour } from '../behaviour.ts'
import type { Configuration, Held, LanzabooteContext, Wanted } from '../model.ts'
import { grown, moved, poolOrPanic } from './pool.ts'

/** Bytes that the early stubs read at a time. */
const PIECE = 512
const KERNEL = 'kernel'
const INITRD = 'initrd'
const PADDED = 'initrd:padded'

/** Puts a file into pool and says where. */
type ReadFile = (ctx: LanzabooteContext, source: ByteSource, object: ObjectId) => Phys

/** Piece by piece, into a buffer that doubles. */
const pieceByPiece: ReadFile = (ctx, source, object) =>
  ctx.machine.step('LZ-8', `reads ${object} piece by piece`, () => {
    let size = Math.min(PIECE, source.size)
    let capacity = size
    let at = poolOrPanic(ctx, 'LZ-8', capacity, object)
    ctx.machine.memory.put(at, { source, at: 0, length: size }, object)
    while (size < source.size) {
      const next = grown(capacity, size + PIECE)
      at = moved(ctx, 'LZ-8', { at, size }, next, object)
      const more = Math.min(next, source.size) - size
      ctx.machine.memory.put(add(at, size), { source, at: size, length: more }, object, size)
      capacity = next
      size += more
    }
    return at
  })

/** Into a buffer of the file's size. */
const atOnce: ReadFile = (ctx, source, object) =>
  ctx.machine.step('LZ-9', `reads ${object} at once`, () => {
    const at = poolOrPanic(ctx, 'LZ-9', source.size, object)
    ctx.machine.memory.put(at, { source, at: 0, length: source.size }, object)
    return at
  })

function onEsp(
  { machine }: LanzabooteContext,
  wanted: Wanted,
  source: ByteSource | null,
  what: string,
): ByteSource {
  const path = wanted.from === 'esp' ? wanted.path : ''
  if (source === null)
    return machine.gap(
      'LZ-6',
      `the image names its ${what} as ${path} on the ESP and does not embed it: give the file`,
    )
  return source.size > 0 ? source : machine.gap('LZ-6', `the ${what} ${path} is empty`)
}

/** Kernel and initrd into pool, as a release does it. */
export function holdPayload({
  way,
}: LanzabooteBehaviour['payload']): (ctx: LanzabooteContext, configuration: Configuration) => Held {
  if (way === 'copied') return copiedFromImage
  const read = way === 'at once' ? atOnce : pieceByPiece
  return (ctx, configuration) => filesRead(ctx, configuration, read)
}

/** The files that the image names. */
function filesRead(ctx: LanzabooteContext, { kernel, initrd }: Configuration, read: ReadFile): Held {
  return ctx.machine.step('LZ-6', 'reads kernel and initrd from the ESP', () => {
    const [linux, archive] = [
      onEsp(ctx, kernel, ctx.esp.kernel, 'kernel'),
      onEsp(ctx, initrd, ctx.esp.initrd, 'initrd'),
    ]
    return {
      kernel: { at: read(ctx, linux, KERNEL), size: linux.size, object: KERNEL, source: linux, found: true },
      initrd: { at: read(ctx, archive, INITRD), size: archive.size, object: INITRD },
    }
  })
}

/** Copies of the sections; the initrd is copied a second time. */
function copiedFromImage(ctx: LanzabooteContext, { kernel, initrd }: Configuration): Held {
  const copy = (wanted: Wanted): { at: Phys; size: number; object: ObjectId; source: ByteSource } => {
    if (wanted.from !== 'image' || wanted.size === 0)
      return ctx.machine.gap('LZ-7', 'the image has no embedded kernel or no embedded initrd')
    const at = poolOrPanic(ctx, 'LZ-7', wanted.size, wanted.object)
    ctx.machine.memory.copy(at, rangeAt(wanted.at, wanted.size))
    return { at, size: wanted.size, object: wanted.object, source: wanted.source }
  }
  return ctx.machine.step('LZ-7', 'copies kernel and initrd out of its image', () => {
    const [linux, first] = [copy(kernel), copy(initrd)]
    const at = poolOrPanic(ctx, 'LZ-7', first.size, first.object)
    ctx.machine.memory.copy(at, rangeAt(first.at, first.size))
    return { kernel: { ...linux, found: true }, initrd: { at, size: first.size, object: first.object } }
  })
}

/** What a release does to the initrd before it registers it. */
export function extendInitrd({
  padded: pads,
  companions,
}: LanzabooteBehaviour['initrd']): (ctx: LanzabooteContext, initrd: Held['initrd']) => Held['initrd'] {
  if (pads) return padded
  return companions ? withCompanions : withoutCompanions
}

/** Nothing is added. */
function withoutCompanions({ machine }: LanzabooteContext, initrd: Held['initrd']): Held['initrd'] {
  return machine.step('LZ-16', 'leaves the initrd as it is', () => initrd)
}

/** Archives of the fat stub follow it directly. */
function withCompanions({ machine }: LanzabooteContext, initrd: Held['initrd']): Held['initrd'] {
  return machine.step('LZ-17', 'looks for credentials and extensions', () => {
    assumeNoCompanions({ machine })
    return initrd
  })
}

function assumeNoCompanions({ machine }: Pick<LanzabooteContext, 'machine'>): void {
  machine.assume('LZ-17', 'no credentials or system extensions beside the image on the ESP')
}

/** Padded to a multiple of 4 bytes; a buffer that has to grow doubles. */
function padded(ctx: LanzabooteContext, initrd: Held['initrd']): Held['initrd'] {
  return ctx.machine.step('LZ-15', 'pads the initrd to a multiple of 4 bytes', () => {
    assumeNoCompanions(ctx)
    const { memory } = ctx.machine
    const size = alignUp<number>(initrd.size, 4)
    if (size === initrd.size) return initrd
    const at = moved(ctx, 'LZ-15', initrd, grown(initrd.size, size), initrd.object)
    const padding = `${PADDED}:zeros`
    memory.zero(rangeAt(at + initrd.size, size - initrd.size), padding)
    memory.compose(PADDED, [
      { object: initrd.object, at: 0, length: initrd.size },
      { object: padding, at: 0, length: size - initrd.size },
    ])
    return { at, size, object: PADDED }
  })
}
