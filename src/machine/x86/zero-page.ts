/**
 * boot_params in guest memory: how loaders, stubs and kernels read and write it. `zeroPage(memory,
 * at).hdr.get('init_size')`; every write is a patch of the object `boot_params` at the field's own offset.
 */
import { rangeAt, type Range } from '../../bytes/range.ts'
import { phys, type Phys } from '../../bytes/units.ts'
import {
  boot_e820_entry,
  boot_params,
  E820_MAX_ENTRIES_ZEROPAGE,
  efi_info,
  SETUP_HEADER_AT,
  setup_header,
} from '../../image/x86/boot-params.ts'
import type { E820Entry } from '../../image/x86/e820-table.ts'
import type { EventId, ObjectId } from '../../memory/extent.ts'
import { guestArray, GuestStruct, guestValues } from '../../memory/guest-struct.ts'
import type { Memory } from '../../memory/memory.ts'

/** Owner of the bytes of a zero page. */
export const BOOT_PARAMS: ObjectId = 'boot_params'

/** Fields whose upper 32 bits were added later, and their offsets. */
const EXTENSION = {
  ramdisk_image: 'ext_ramdisk_image',
  ramdisk_size: 'ext_ramdisk_size',
  cmd_line_ptr: 'ext_cmd_line_ptr',
} as const
export type SplitField = keyof typeof EXTENSION

export type BootParamsPage = GuestStruct<typeof boot_params.fields>
export type GuestSetupHeader = GuestStruct<typeof setup_header.fields>

/** A view of the zero page at an address. Creates nothing: missing bytes read as zero. */
export interface ZeroPage extends Pick<BootParamsPage, 'at' | 'get' | 'set' | 'patch' | 'range'> {
  /** Its setup header. */
  readonly hdr: GuestSetupHeader
  /** Its efi_info. */
  readonly efi_info: GuestStruct<typeof efi_info.fields>
  /** Zeroes `size` bytes from its start on, as boot_params. */
  clear(size: number): EventId
  /** Both halves of a field that has an extension. */
  whole(field: SplitField): number
  /** Writes both halves, the low one first. */
  setWhole(field: SplitField, value: number): void
  /** The e820 entries that e820_entries counts and the table can hold. */
  e820(): E820Entry[]
  /** Writes entries from index `first` on at once; the caller sets e820_entries. */
  setE820(first: number, entries: readonly E820Entry[]): EventId
}

const [E820_AT] = boot_params.fields.e820_table
const [EFI_INFO_AT] = boot_params.fields.efi_info

class PageInMemory implements ZeroPage {
  readonly at: Phys
  readonly #memory: Memory
  readonly #page: BootParamsPage
  #hdr: GuestSetupHeader | null = null

  constructor(memory: Memory, at: Phys) {
    this.at = at
    this.#memory = memory
    this.#page = new GuestStruct(memory, boot_params, at, BOOT_PARAMS)
  }

  get hdr(): GuestSetupHeader {
    this.#hdr ??= setupHeader(this.#memory, this.at, BOOT_PARAMS)
    return this.#hdr
  }

  get efi_info(): ZeroPage['efi_info'] {
    return new GuestStruct(this.#memory, efi_info, phys(this.at + EFI_INFO_AT), BOOT_PARAMS, EFI_INFO_AT)
  }

  get(field: Parameters<BootParamsPage['get']>[0]): number {
    return this.#page.get(field)
  }

  set(field: Parameters<BootParamsPage['set']>[0], value: number): EventId {
    return this.#page.set(field, value)
  }

  patch(offset: number, bytes: Uint8Array): EventId {
    return this.#page.patch(offset, bytes)
  }

  range(field: Parameters<BootParamsPage['range']>[0]): Range {
    return this.#page.range(field)
  }

  clear(size: number): EventId {
    return this.#memory.zero(rangeAt(this.at, size), BOOT_PARAMS)
  }

  whole(field: SplitField): number {
    return this.hdr.get(field) + this.get(EXTENSION[field]) * 2 ** 32
  }

  setWhole(field: SplitField, value: number): void {
    this.hdr.set(field, value)
    this.set(EXTENSION[field], Math.floor(value / 2 ** 32))
  }

  e820(): E820Entry[] {
    const count = Math.min(this.get('e820_entries'), E820_MAX_ENTRIES_ZEROPAGE)
    const bytes = count === 0 ? new Uint8Array(0) : this.#memory.readRaw(this.range('e820_table'))
    const entries: E820Entry[] = []
    for (let i = 0; i < count; i++) {
      const entry = guestValues(boot_e820_entry, bytes, i * boot_e820_entry.size)
      if (entry !== null) entries.push(entry)
    }
    return entries
  }

  setE820(first: number, entries: readonly E820Entry[]): EventId {
    return this.patch(E820_AT + first * boot_e820_entry.size, e820Bytes(entries))
  }
}

/** The zero page that begins at `at`. */
export function zeroPage(memory: Memory, at: Phys): ZeroPage {
  return new PageInMemory(memory, at)
}

/**
 * The setup header of a kernel file whose byte 0 lies at `at`, or of the zero page there: the offset is the
 * same.
 */
export function setupHeader(memory: Memory, at: Phys, object: ObjectId): GuestSetupHeader {
  return new GuestStruct(memory, setup_header, phys(at + SETUP_HEADER_AT), object, SETUP_HEADER_AT)
}

/** Entries as they are stored, one after the other. */
export function e820Bytes(entries: readonly E820Entry[]): Uint8Array {
  return guestArray(boot_e820_entry, entries)
}
