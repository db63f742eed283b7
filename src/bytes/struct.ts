/**
 * A C structure as a table of fields under upstream's names; offsets and size are asserted when the table is
 * made.
 */
import { ModelBug } from './errors.ts'
import { fromInteger, toInteger } from './int.ts'

const WIDTH = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

/** Kinds of field. `u64` reads as bigint, `[n]` as n raw bytes. All are little endian. */
export type FieldKind = keyof typeof WIDTH | readonly [number]
/** `[offset, kind]`. */
export type Field = readonly [offset: number, kind: FieldKind]
export type Fields = Readonly<Record<string, Field>>

type ValueOf<K> = K extends 'u64' ? bigint : K extends readonly [number] ? Uint8Array : number
/** The values of a structure, by upstream's field names. */
export type Values<F extends Fields> = { readonly [N in keyof F]: ValueOf<F[N][1]> }

export interface Struct<F extends Fields> {
  readonly name: string
  readonly size: number
  readonly fields: F
  /** All fields from `bytes` at `at`, or null when fewer than `size` bytes are left. */
  read(bytes: Uint8Array, at?: number): Values<F> | null
  /** A new byte array of `size` bytes with the given fields set and zero elsewhere. */
  write(values: Partial<Values<F>>): Uint8Array
  /** The stored bytes of one field. */
  encode<N extends keyof F & string>(field: N, value: ValueOf<F[N][1]>): Uint8Array
}

function widthOf(kind: FieldKind): number {
  return typeof kind === 'string' ? WIDTH[kind] : kind[0]
}

/**
 * Where a structure occurs. Structures only in guest memory are read all the time during a boot, so their
 * 64-bit fields use DataView; those of file headers go through int.ts.
 */
export type Place = 'file' | 'memory'

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readField(view: DataView, at: number, kind: FieldKind, place: Place): number | bigint | Uint8Array {
  if (kind === 'u8') return view.getUint8(at)
  if (kind === 'u16') return view.getUint16(at, true)
  if (kind === 'u32') return view.getUint32(at, true)
  if (kind === 'u64')
    return place === 'memory'
      ? view.getBigUint64(at, true)
      : toInteger(new Uint8Array(view.buffer, view.byteOffset + at, WIDTH.u64))
  return new Uint8Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + kind[0]))
}

function writeField(
  view: DataView,
  at: number,
  kind: FieldKind,
  value: number | bigint | Uint8Array,
  place: Place,
): void {
  if (kind === 'u64') {
    if (typeof value !== 'bigint' || value !== BigInt.asUintN(64, value))
      throw new ModelBug(`not a u64: ${String(value)}`)
    if (place === 'memory') view.setBigUint64(at, value, true)
    else new Uint8Array(view.buffer, view.byteOffset + at, WIDTH.u64).set(fromInteger(value, WIDTH.u64))
  } else if (typeof kind !== 'string') {
    if (!(value instanceof Uint8Array) || value.length !== kind[0])
      throw new ModelBug(`field takes ${String(kind[0])} bytes`)
    new Uint8Array(view.buffer, view.byteOffset + at, kind[0]).set(value)
  } else {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= 2 ** (8 * WIDTH[kind]))
      throw new ModelBug(`not a ${kind}: ${String(value)}`)
    if (kind === 'u8') view.setUint8(at, value)
    else if (kind === 'u16') view.setUint16(at, value, true)
    else view.setUint32(at, value, true)
  }
}

/**
 * The little-endian number in at most 8 bytes; above 2^53 it loses low bits, but no address is that large.
 */
export function numberIn(bytes: Uint8Array): number {
  let sum = 0
  for (let i = bytes.length - 1; i >= 0; i--) sum = sum * 256 + (bytes[i] as number)
  return sum
}

/**
 * Defines a structure. Fields must be in ascending order and must not overlap, and the last one must end at
 * or before `size`: an error in a layout table throws ModelBug when the module is loaded. `place`: `memory`
 * for structures that are in no file.
 */
export function struct<const F extends Fields>(
  name: string,
  size: number,
  fields: F,
  place: Place = 'file',
): Struct<F> {
  const layout = Object.entries(fields)
  let end = 0
  for (const [field, [offset, kind]] of layout) {
    if (offset < end) throw new ModelBug(`${name}.${field} overlaps the field before it`)
    end = offset + widthOf(kind)
    if (end > size) throw new ModelBug(`${name}.${field} ends past the structure`)
  }
  return {
    name,
    size,
    fields,
    read: (bytes, at = 0) => {
      if (at < 0 || at + size > bytes.length) return null
      const view = viewOf(bytes)
      const values: Record<string, unknown> = {}
      for (const [field, [offset, kind]] of layout) values[field] = readField(view, at + offset, kind, place)
      return values as Values<F>
    },
    write: values => {
      const bytes = new Uint8Array(size)
      const view = viewOf(bytes)
      for (const [key, value] of Object.entries(values)) {
        const field = fields[key]
        if (field === undefined) throw new ModelBug(`${name} has no field ${key}`)
        writeField(view, field[0], field[1], value as number | bigint | Uint8Array, place)
      }
      return bytes
    },
    encode: (key, value) => {
      const field = fields[key]
      if (field === undefined) throw new ModelBug(`${name} has no field ${key}`)
      const bytes = new Uint8Array(widthOf(field[1]))
      writeField(viewOf(bytes), 0, field[1], value, place)
      return bytes
    },
  }
}
