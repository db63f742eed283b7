/** Writing numbers into boot_params, and asking the firmware for pages and pool. */
import { add, type Phys } from '../../bytes/units.ts'
import type { AllocateType } from '../../firmware/services.ts'
import type { EfiError } from '../../firmware/status.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { ObjectId } from '../../memory/extent.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'
import { BOOT_PARAMS } from '../setup-header.ts'

/** Writes the low 32 bits of `value` into a field of boot_params. */
export function setField(
  { machine }: StubContext,
  bootParams: Phys,
  field: keyof typeof BOOT_PARAMS,
  value: number,
): void {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value % 2 ** 32, true)
  machine.memory.patch(add(bootParams, BOOT_PARAMS[field]), bytes, 'boot_params', BOOT_PARAMS[field])
}

/** Writes one byte into boot_params. */
export function setByte(
  { machine }: StubContext,
  bootParams: Phys,
  field: keyof typeof BOOT_PARAMS,
  value: number,
): void {
  machine.memory.patch(
    add(bootParams, BOOT_PARAMS[field]),
    Uint8Array.of(value),
    'boot_params',
    BOOT_PARAMS[field],
  )
}

/** The upper half of a 64-bit value. */
export function high32(value: number): number {
  return Math.floor(value / 2 ** 32)
}

/** What a request for pages is about. */
export interface PageRequest {
  readonly where: AllocateType
  readonly type: number
  readonly pages: number
  readonly label: ObjectId
}

/** AllocatePages of an era that stops with an assertion when there is no room: xmalloc_pages. */
export function xmallocPages(
  { machine }: StubContext,
  clause: ClauseId,
  { where, type, pages, label }: PageRequest,
): Phys {
  const got = machine.firmware.allocatePages(where, type, pages, label)
  if (got.status === 'EFI_SUCCESS') return got.at
  return machine.refuse(
    clause,
    got.status,
    `no ${String(pages)} pages for ${label}; the stub halts`,
    PAGES_ASSERTION,
  )
}

/** AllocatePool of an era that stops with an assertion when there is no room: xmalloc. */
export function xmalloc(
  { machine, poolType = EfiLoaderData }: StubContext,
  clause: ClauseId,
  size: number,
  label: ObjectId,
): Phys {
  const got = machine.firmware.allocatePool(poolType, size, label)
  if (got.status === 'EFI_SUCCESS') return got.at
  return machine.refuse(
    clause,
    got.status,
    `no pool of ${String(size)} bytes for ${label}; the stub halts`,
    poolAssertion(poolType),
  )
}

const PAGES_ASSERTION =
  "systemd-boot: Assertion 'BS->AllocatePages(type, memory_type, n_pages, &addr) == EFI_SUCCESS' failed, halting."
const poolAssertion = (type: number): string =>
  `systemd-boot: Assertion 'BS->AllocatePool(${type === EfiLoaderData ? 'EfiLoaderData' : 'EfiBootServicesData'}, size, &p) == EFI_SUCCESS' failed, halting.`

const WORDS: Readonly<Record<EfiError, string>> = {
  EFI_LOAD_ERROR: 'Load error',
  EFI_INVALID_PARAMETER: 'Invalid parameter',
  EFI_UNSUPPORTED: 'Unsupported',
  EFI_BUFFER_TOO_SMALL: 'Buffer too small',
  EFI_OUT_OF_RESOURCES: 'Out of resources',
  EFI_VOLUME_CORRUPTED: 'Volume corrupt',
  EFI_NOT_FOUND: 'Not found',
  EFI_ALREADY_STARTED: 'Already started',
  EFI_ABORTED: 'Aborted',
  EFI_INCOMPATIBLE_VERSION: 'Incompatible version',
  EFI_SECURITY_VIOLATION: 'Security violation',
}

/** `Load error`: the status as systemd's own %m prints it. */
export function statusText(status: EfiError): string {
  return WORDS[status]
}

/** `Load Error`: the status as gnu-efi's %r prints it, every word but "of" and "too" with a capital. */
export function statusTitle(status: EfiError): string {
  return WORDS[status].replace(/(?<= )(?!of )[a-z]/g, letter => letter.toUpperCase())
}

/** The status as a release prints it. */
export function statusIn({ status: how }: StubBehaviour['messages'], status: EfiError): string {
  return how === '%r' ? statusTitle(status) : statusText(status)
}
