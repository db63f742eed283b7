/** The table of image loaders, each from its own folder or file (chapter PE). */
import { UsageError } from '../../bytes/errors.ts'
import { once } from '../../bytes/once.ts'
import { EfiLoaderCode } from '../../image/memory-types.ts'
import { dxeCoreLoader, EDK2_IMAGE_LOADERS, edk2ImageLoader, edk2Section } from '../edk2/image-loader.ts'
import type { MemoryServices } from '../memory-services.ts'
import { PATINA_IMAGE_LOADER } from '../patina/image-loader.ts'
import { RUST_HYPERVISOR_IMAGE_LOADER } from '../rust-hypervisor/image-loader.ts'
import { U_BOOT_IMAGE_LOADERS } from '../u-boot/image-loader.ts'
import { AUDK, AUDK_STRICT } from './audk.ts'
import { GRUB_DEBIAN } from './grub-peimage.ts'
import type { ImageLoader } from './image-loader.ts'
import { LANZABOOTE } from './lanzaboote.ts'
import { GRUB_RHBOOT, SHIM_IMAGE_LOADERS } from './shim.ts'

/** The default image loader (FW-55). */
export const DEFAULT_IMAGE_LOADER: ImageLoader = edk2ImageLoader('2022.11')

/**
 * The loader on this allocator: if the DXE core below loads the sections, it does so as in its release
 * (PE-26).
 */
export function ofDxeCore(loader: ImageLoader, { edk2 }: MemoryServices): ImageLoader {
  return loader.dxeCore === true && edk2 !== undefined
    ? { ...loader, section: edk2Section(() => edk2) }
    : loader
}

/** GRUB's chainloader: the firmware below loads a copy, without the boot manager (PE-36). */
const grub = (): ImageLoader => ({
  ...dxeCoreLoader('2022.11'),
  buffer: { from: 'pages', type: EfiLoaderCode, until: 'loaded', clause: 'PE-36' },
  id: 'grub',
  title: 'GRUB chainloader upstream: the firmware loads a copy',
  source: 'grub@2.12',
})

/** The image loaders, made when somebody asks for all. */
export const imageLoaders = once((): readonly ImageLoader[] => [
  ...EDK2_IMAGE_LOADERS,
  ...SHIM_IMAGE_LOADERS,
  ...U_BOOT_IMAGE_LOADERS,
  grub(),
  GRUB_RHBOOT,
  GRUB_DEBIAN,
  RUST_HYPERVISOR_IMAGE_LOADER,
  PATINA_IMAGE_LOADER,
  AUDK,
  AUDK_STRICT,
  { ...LANZABOOTE, unusual: 'loads the kernels of lanzaboote’s images, never a UKI' },
])

/** All of them, in the order of listings. */
export const IMAGE_LOADERS: readonly ImageLoader[] = /* @__PURE__ */ imageLoaders()

/** The image loader of that name; EDK2's are found without the table. */
export function findImageLoader(name: string): ImageLoader | undefined {
  const isNamed = ({ id }: ImageLoader): boolean => id === name
  return EDK2_IMAGE_LOADERS.find(isNamed) ?? imageLoaders().find(isNamed)
}

/** The message for a name that is in none of these rows. */
export function unknownName(what: string, name: string, rows: readonly { readonly id: string }[]): string {
  return `unknown ${what} '${name}'; known are ${rows.map(({ id }) => id).join(', ')}`
}

/** The image loader of that name. Throws UsageError that lists the names. */
export function imageLoaderNamed(name: string): ImageLoader {
  const found = findImageLoader(name)
  if (found === undefined) throw new UsageError(unknownName('image loader', name, imageLoaders()))
  return found
}
