/** AllocatePages and AllocatePool as later stubs call them: failure is an assertion that halts. */
import type { Phys } from '../../bytes/units.ts'
import type { AllocateType } from '../../firmware/services.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { ObjectId } from '../../memory/extent.ts'
import type { StubContext } from '../model.ts'

/** A request for pages. */
export interface PageRequest {
  readonly where: AllocateType
  readonly type: number
  readonly pages: number
  readonly label: ObjectId
}

/** xmalloc_pages: AllocatePages, and an assertion that halts when there is no room. */
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

/** xmalloc: AllocatePool, and an assertion that halts when there is no room. */
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
  "systemd-boot: Assertion 'BS->AllocatePages(type, memory_type, n_pages, &addr) == " +
  "EFI_SUCCESS' failed, halting."
const poolAssertion = (type: number): string =>
  'systemd-boot: Assertion ' +
  `'BS->AllocatePool(${type === EfiLoaderData ? 'EfiLoaderData' : 'EfiBootServicesData'}, ` +
  `size, &p) == EFI_SUCCESS' failed, halting.`
