/**
 * Firmwares by name: who hands out memory, who loads the image, who loads what the image loads (chapters FW,
 * PE).
 */
import { UsageError } from '../bytes/errors.ts'
import type { Build, Contents } from './boot-services.ts'
import type { Loader } from './loaders/loader.ts'
import { DEFAULT_LOADER, LOADERS } from './loaders/rows.ts'
import { FIRMWARE_ROWS, type FirmwareRow, type FirmwareRowId, type SearchPolicy } from './policies.ts'

/** All that a boot needs to know of a firmware beside its memory map. */
export interface Firmware {
  readonly id: string
  readonly title: string
  readonly row: FirmwareRow
  /** Loads the boot option. */
  readonly loader: Loader
  /**
   * Who answers a LoadImage that the image itself calls: its own loader, the DXE core below, or its own under
   * Secure Boot only (PE-27).
   */
  readonly inner: 'own' | 'dxe-core' | 'own-under-secure-boot'
  /** What memory holds that nobody has written, when nobody says so. */
  readonly contents: Contents
  /** Bins and default range where the firmware placed them. Default: OVMF's, as the map shows them. */
  readonly search?: SearchPolicy
  /** Guard pages, untested RAM, the state of its pool. */
  readonly build?: Build
}

type Below = Pick<Firmware, 'inner' | 'contents'> & { readonly row: FirmwareRowId }

const DXE_CORE: Below = { row: 'edk2-2022.11', inner: 'dxe-core', contents: 'ovmf' }

/** What lies below a loader that is not an edk2 release. */
const BELOW: readonly (readonly [prefix: string, below: Below])[] = [
  ['shim-16', { ...DXE_CORE, inner: 'own-under-secure-boot' }],
  ['u-boot', { row: 'u-boot', inner: 'own', contents: 'residue' }],
  ['rust-hypervisor-firmware', { row: 'rust-hypervisor-firmware', inner: 'own', contents: 'residue' }],
  ['patina', { row: 'patina', inner: 'own', contents: 'residue' }],
  ['audk', { ...DXE_CORE, inner: 'own' }],
]

function firmwareOf(loader: Loader): Firmware {
  const { id, title } = loader
  const release = Object.values(FIRMWARE_ROWS).find(row => row.id === id && row.search === 'bins-then-top')
  const below =
    release === undefined
      ? (BELOW.find(([prefix]) => id.startsWith(prefix))?.[1] ?? DXE_CORE)
      : { ...DXE_CORE, row: release.id, inner: 'own' as const }
  return { id, title, loader, inner: below.inner, contents: below.contents, row: FIRMWARE_ROWS[below.row] }
}

/** One firmware for each loader, in the loaders' order. */
export const FIRMWARES: readonly Firmware[] = LOADERS.map(firmwareOf)

/** The firmware of that name. Throws UsageError that lists the names. */
export function firmwareNamed(name: string): Firmware {
  const found = FIRMWARES.find(firmware => firmware.id === name)
  if (found === undefined)
    throw new UsageError(
      `no firmware '${name}'; there are ${FIRMWARES.map(firmware => firmware.id).join(', ')}`,
    )
  return found
}

/** A machine of which nobody says whose firmware it has is taken for one of EDK2: so the report says (FW-55). */
export function nobodyNamed(machine: {
  readonly firmware?: unknown
  readonly build?: unknown
}): { readonly clause: 'FW-55'; readonly what: string }[] {
  if (machine.firmware !== undefined || machine.build !== undefined) return []
  const what = 'no firmware is named: memory is allocated and images are loaded as EDK2 2022.11 does it'
  return [{ clause: 'FW-55', what }]
}

/** Who answers a LoadImage that comes from the image (PE-27). */
export function innerLoader({ loader, inner }: Firmware, secureBoot: boolean): Loader {
  return inner === 'own' || (inner === 'own-under-secure-boot' && secureBoot) ? loader : DEFAULT_LOADER
}
