/**
 * A C structure in guest memory, read and written field by field under upstream's names. The layout is the
 * one that files are read with (bytes/struct.ts); numbers are coded here, because every address of a guest
 * fits a double.
 */
import { ModelBug } from '../bytes/errors.ts'
import { rangeAt, type Range } from '../bytes/range.ts'
import { numberIn, type Field, type FieldKind, type Fields, type Struct } from '../bytes/struct.ts'
import { phys, type Phys } from '../bytes/units.ts'
import type { EventId, ObjectId } from './extent.ts'
import type { Memory } from './memory.ts'

/** The fields of a layout that are numbers. */
export type NumberField<F extends Fields> = {
  [N in keyof F & string]: F[N][1] extends string ? N : never
}[keyof F & string]
/** The numbers of a structure; 64-bit ones too, exact up to 2^53. */
export type GuestValues<F extends Fields> = Readonly<Record<NumberField<F>, number>>

const WIDTH = { u8: 1, u16: 2, u32: 4, u64: 8 } as const

/** Bytes of a field. */
function widthOf(kind: FieldKind): number {
  return typeof kind === 'string' ? WIDTH[kind] : kind[0]
}

/** `value` modulo 2^(8 * width) in `width` little-endian bytes, as an assignment in C stores it. */
export function littleEndian(value: number, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256)
}

/** The bytes of a whole structure with these numbers, and zero elsewhere. */
export function guestBytes<F extends Fields>(
  layout: Struct<F>,
  values: Partial<Record<NumberField<F>, number>>,
): Uint8Array {
  const bytes = new Uint8Array(layout.size)
  for (const [field, value] of Object.entries<number | undefined>(values)) {
    const [offset, kind] = layout.fields[field] ?? noField(layout.name, field)
    if (value !== undefined) bytes.set(littleEndian(value, widthOf(kind)), offset)
  }
  return bytes
}

/** The numbers of a structure whose bytes begin at `at`; null when fewer than its size are left. */
export function guestValues<F extends Fields>(
  { fields, size }: Struct<F>,
  bytes: Uint8Array,
  at = 0,
): GuestValues<F> | null {
  if (at + size > bytes.length) return null
  const values: Record<string, number> = {}
  for (const [field, [offset, kind]] of Object.entries(fields))
    if (typeof kind === 'string')
      values[field] = numberIn(bytes.subarray(at + offset, at + offset + WIDTH[kind]))
  return values as GuestValues<F>
}

function noField(name: string, field: string): never {
  throw new ModelBug(`${name} has no field ${field}`)
}

/**
 * A structure at a place in memory. Reading makes no event: what the guest reads *as an object* goes through
 * Memory.readAs. Every write is one patch in the name of the object.
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

  /** Where the field lies. */
  range(field: keyof F & string): Range {
    const [offset, kind] = this.#field(field)
    return rangeAt(this.at + offset, widthOf(kind))
  }

  /** The number as memory has it now; what is not modelled reads as zero. */
  get(field: NumberField<F>): number {
    return numberIn(this.#memory.readRaw(this.range(field)))
  }

  /** All numbers as memory has them now. */
  values(): GuestValues<F> {
    const bytes = this.#memory.readRaw(rangeAt(this.at, this.layout.size))
    return guestValues(this.layout, bytes) as GuestValues<F>
  }

  /** Stores a number as C does: what is too wide for the field is cut. */
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
