/**
 * Firmwares by name: allocator, image loader, and image loader for images loaded by the image (chapters FW,
 * PE).
 */
import { UsageError } from '../bytes/errors.ts'
import { once } from '../bytes/once.ts'
import { allocators, DEFAULT_ALLOCATOR, edk2Allocators } from './allocators.ts'
import type { Build } from './build.ts'
import type { Contents } from './contents.ts'
import type { ImageLoader } from './image-loaders/image-loader.ts'
import {
  DEFAULT_IMAGE_LOADER,
  findImageLoader,
  imageLoaders,
  ofDxeCore,
  unknownName,
} from './image-loaders/image-loaders.ts'
import type { MemoryServices } from './memory-services.ts'

/** Everything a boot needs of a firmware besides its memory map. */
export interface Firmware {
  readonly id: string
  readonly title: string
  /** The allocator. */
  readonly allocator: MemoryServices
  /** Loads the boot option. */
  readonly loader: ImageLoader
  /**
   * Serves LoadImage calls of the image: the loader that loaded it, the DXE core below, or the former under
   * Secure Boot only (PE-27).
   */
  readonly inner: 'own' | 'dxe-core' | 'own-under-secure-boot'
  /** Default contents of unwritten memory. */
  readonly contents: Contents
  /** Guard pages, untested RAM, bins, the state of its pool. */
  readonly build?: Build
}

interface FirmwareCore {
  readonly allocator: string
  readonly inner: Firmware['inner']
  readonly contents: Contents
}

const DXE_CORE: FirmwareCore = { allocator: DEFAULT_ALLOCATOR.id, inner: 'dxe-core', contents: 'ovmf' }

/** The firmware below an image loader that is not an EDK2 release's. */
const BELOW: readonly (readonly [prefix: string, below: FirmwareCore])[] = [
  ['shim-16', { ...DXE_CORE, inner: 'own-under-secure-boot' }],
  ['u-boot', { allocator: 'u-boot', inner: 'own', contents: 'residue' }],
  ['rust-hypervisor-firmware', { allocator: 'rust-hypervisor-firmware', inner: 'own', contents: 'residue' }],
  ['patina', { allocator: 'patina', inner: 'own', contents: 'residue' }],
  ['audk', { ...DXE_CORE, inner: 'own' }],
]

function firmwareOf(loader: ImageLoader): Firmware {
  const { id, title } = loader
  const release = edk2Allocators().find(one => one.id === id)
  const { allocator, inner, contents } =
    release === undefined
      ? (BELOW.find(([prefix]) => id.startsWith(prefix))?.[1] ?? DXE_CORE)
      : { ...DXE_CORE, allocator: release.id, inner: 'own' as const }
  return { id, title, loader, inner, contents, allocator: allocatorNamed(allocator) }
}

/** Firmwares by name, made when they are named. */
const made = new Map<string, Firmware>()

/** The firmwares, made when somebody asks for all. */
export const firmwares = once((): readonly Firmware[] => imageLoaders().map(({ id }) => firmwareNamed(id)))

/** One firmware for each image loader, in the loaders' order. */
export const FIRMWARES: readonly Firmware[] = /* @__PURE__ */ firmwares()

/** The firmware of that name. Throws UsageError that lists the names. */
export function firmwareNamed(name: string): Firmware {
  const known = made.get(name)
  if (known !== undefined) return known
  const loader = findImageLoader(name)
  if (loader === undefined) throw new UsageError(unknownName('firmware', name, imageLoaders()))
  const firmware = firmwareOf(loader)
  made.set(name, firmware)
  return firmware
}

/** The allocator of that name. Throws UsageError that lists the names. */
export function allocatorNamed(name: string): MemoryServices {
  const isNamed = ({ id }: MemoryServices): boolean => id === name
  const found = edk2Allocators().find(isNamed) ?? allocators().find(isNamed)
  if (found === undefined) throw new UsageError(unknownName('allocator', name, allocators()))
  return found
}

/**
 * The firmware with another allocator below; if its image loader is the DXE core's, with the loader of the
 * same release.
 */
export function onAllocator(firmware: Firmware, allocator: MemoryServices): Firmware {
  return { ...firmware, allocator, loader: ofDxeCore(firmware.loader, allocator) }
}

/** A machine without a named firmware is assumed to have EDK2, as stated in the report (FW-55). */
export function nobodyNamed(machine: {
  readonly firmware?: unknown
  readonly pool?: unknown
}): { readonly clause: 'FW-55'; readonly what: string }[] {
  if (machine.firmware !== undefined || machine.pool !== undefined) return []
  const what = 'no firmware is named: memory is allocated and images are loaded as by EDK2 2022.11'
  return [{ clause: 'FW-55', what }]
}

/** The image loader that serves LoadImage calls of the image (PE-27). */
export function innerLoader({ loader, inner, allocator }: Firmware, secureBoot: boolean): ImageLoader {
  return inner === 'own' || (inner === 'own-under-secure-boot' && secureBoot)
    ? loader
    : ofDxeCore(DEFAULT_IMAGE_LOADER, allocator)
}
