/**
 * A C structure in guest memory, read and written field by field under upstream's names. The layout is the
 * same as for files (bytes/struct.ts); numbers are encoded here, because every guest address fits a double.
 */
import { ModelBug } from '../bytes/errors.ts'
import { rangeAt, type Range } from '../bytes/range.ts'
import type { Field, FieldKind, Fields, Struct } from '../bytes/struct.ts'
import { phys, type Phys } from '../bytes/units.ts'
import type { EventId, ObjectId } from './extent.ts'
import type { Memory } from './memory.ts'

/** The fields of a layout that are numbers. */
export type NumberField<F extends Fields> = {
  [N in keyof F & string]: F[N][1] extends string ? N : never
}[keyof F & string]
/** The numbers of a structure, 64-bit ones included, exact up to 2^53. */
export type GuestValues<F extends Fields> = Readonly<Record<NumberField<F>, number>>

const WIDTH = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

/** Bytes of a field. */
function widthOf(kind: FieldKind): number {
  return typeof kind === 'string' ? WIDTH[kind] : kind[0]
}

/** `value` modulo 2^(8 * width) in `width` little-endian bytes, as an assignment in C stores it. */
export function littleEndian(value: number, width: number): Uint8Array {
  const bytes = new Uint8Array(width)
  store(bytes, 0, value, width)
  return bytes
}

function store(bytes: Uint8Array, at: number, value: number, width: number): void {
  // Two words: integers are shifted, but a double would be divided byte by byte
  storeWord(bytes, at, value >>> 0, Math.min(width, 4))
  if (width > 4) storeWord(bytes, at + 4, Math.floor(value / 2 ** 32) >>> 0, width - 4)
}

function storeWord(bytes: Uint8Array, at: number, word: number, width: number): void {
  for (let i = 0; i < width; i++) bytes[at + i] = (word >>> (8 * i)) & 0xff
}

/** A field that is a number: its name, offset and width. */
type NumberAt = readonly [name: string, offset: number, width: number]

const layouts = new WeakMap<object, readonly NumberAt[]>()

/** The number fields of a layout, computed once. */
function numbersOf(layout: { readonly fields: Fields }): readonly NumberAt[] {
  const known = layouts.get(layout)
  if (known !== undefined) return known
  const numbers = Object.entries(layout.fields).flatMap(([name, [offset, kind]]): NumberAt[] =>
    typeof kind === 'string' ? [[name, offset, WIDTH[kind]]] : [],
  )
  layouts.set(layout, numbers)
  return numbers
}

/** The bytes of a whole structure with these numbers, and zero elsewhere. */
export function guestBytes<F extends Fields>(
  layout: Struct<F>,
  values: Partial<Record<NumberField<F>, number>>,
): Uint8Array {
  for (const field in values) if (!(field in layout.fields)) noField(layout.name, field)
  return guestArray(layout, [values])
}

/** The bytes of many structures with these numbers, one after the other. */
export function guestArray<F extends Fields>(
  layout: Struct<F>,
  list: readonly Partial<Record<NumberField<F>, number>>[],
): Uint8Array {
  const { size } = layout
  const bytes = new Uint8Array(list.length * size)
  for (const [name, offset, width] of numbersOf(layout))
    for (let i = 0; i < list.length; i++) {
      const value = (list[i] as Readonly<Record<string, number>>)[name]
      if (value !== undefined) store(bytes, i * size + offset, value, width)
    }
  return bytes
}

/** The numbers of a structure whose bytes begin at `at`; null when fewer than its size are left. */
export function guestValues<F extends Fields>(
  layout: Struct<F>,
  bytes: Uint8Array,
  at = 0,
): GuestValues<F> | null {
  if (at + layout.size > bytes.length) return null
  const values: Record<string, number> = {}
  for (const [name, offset, width] of numbersOf(layout)) {
    const from = at + offset
    let sum = 0
    for (let i = from + width - 1; i >= from; i--) sum = sum * 256 + (bytes[i] as number)
    values[name] = sum
  }
  return values as GuestValues<F>
}

function noField(name: string, field: string): never {
  throw new ModelBug(`${name} has no field ${field}`)
}

/**
 * A structure at an address. Reading records no event: reads *as an object* use Memory.readAs. Every write is
 * one patch of the object.
 */
export class GuestStruct<F extends Fields> {
  readonly at: Phys
  readonly layout: Struct<F>
  readonly #memory: Memory
  readonly #object: ObjectId
  readonly #offset: number

  /** The structure begins at `at`, which is byte `offset` of `object`. */
  constructor(memory: Memory, layout: Struct<F>, at: Phys, object: ObjectId, offset = 0) {
    this.#memory = memory
    this.layout = layout
    this.at = at
    this.#object = object
    this.#offset = offset
  }

  /** The range of the field. */
  range(field: keyof F & string): Range {
    const [offset, kind] = this.#field(field)
    return rangeAt(this.at + offset, widthOf(kind))
  }

  /** The current value in memory; bytes that are not modelled read as zero. */
  get(field: NumberField<F>): number {
    const [offset, kind] = this.#field(field)
    return this.#memory.number(this.at + offset, widthOf(kind))
  }

  /** The current values of all numbers. */
  values(): GuestValues<F> {
    const bytes = this.#memory.readRaw(rangeAt(this.at, this.layout.size))
    return guestValues(this.layout, bytes) as GuestValues<F>
  }

  /** Stores a number like C: truncated to the width of the field. */
  set(field: NumberField<F>, value: number): EventId {
    const [offset, kind] = this.#field(field)
    return this.patch(offset, littleEndian(value, widthOf(kind)))
  }

  /** Writes bytes from an offset in the structure on. */
  patch(offset: number, bytes: Uint8Array): EventId {
    return this.#memory.patch(phys(this.at + offset), bytes, this.#object, this.#offset + offset)
  }

  #field(field: string): Field {
    return this.layout.fields[field] ?? noField(this.layout.name, field)
  }
}
