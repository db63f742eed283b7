/**
 * boot_params in guest memory: how loaders, stubs and kernels read and write it. `zeroPage(memory,
 * at).hdr.get('init_size')`; every write is a patch of the object `boot_params` at the field's own offset.
 */
import { rangeAt } from '../../bytes/range.ts'
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
import { GuestStruct, guestBytes, guestValues } from '../../memory/guest-struct.ts'
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

/** The zero page that begins at `at`. */
export function zeroPage(memory: Memory, at: Phys): ZeroPage {
  const page: BootParamsPage = new GuestStruct(memory, boot_params, at, BOOT_PARAMS)
  const hdr: GuestSetupHeader = setupHeader(memory, at, BOOT_PARAMS)
  const [table] = boot_params.fields.e820_table
  const [info] = boot_params.fields.efi_info
  return {
    at,
    hdr,
    efi_info: new GuestStruct(memory, efi_info, phys(at + info), BOOT_PARAMS, info),
    get: field => page.get(field),
    set: (field, value) => page.set(field, value),
    patch: (offset, bytes) => page.patch(offset, bytes),
    range: field => page.range(field),
    clear: size => memory.zero(rangeAt(at, size), BOOT_PARAMS),
    whole: field => hdr.get(field) + page.get(EXTENSION[field]) * 2 ** 32,
    setWhole: (field, value) => {
      hdr.set(field, value)
      page.set(EXTENSION[field], Math.floor(value / 2 ** 32))
    },
    e820: () => {
      const count = Math.min(page.get('e820_entries'), E820_MAX_ENTRIES_ZEROPAGE)
      const bytes = count === 0 ? new Uint8Array(0) : memory.readRaw(page.range('e820_table'))
      return Array.from({ length: count }, (_, i) =>
        guestValues(boot_e820_entry, bytes, i * boot_e820_entry.size),
      ).flatMap(entry => entry ?? [])
    },
    setE820: (first, entries) => page.patch(table + first * boot_e820_entry.size, e820Bytes(entries)),
  }
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
  const bytes = new Uint8Array(entries.length * boot_e820_entry.size)
  entries.forEach(({ addr, size, type }, i) => {
    bytes.set(guestBytes(boot_e820_entry, { addr, size, type }), i * boot_e820_entry.size)
  })
  return bytes
}
