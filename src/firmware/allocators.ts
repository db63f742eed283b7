/** The allocators by name: a page allocator and a pool for each firmware (chapter FW). */
import { once } from '../bytes/once.ts'
import { edk2 } from './edk2/edk2.ts'
import { EDK2_RELEASES, type Edk2Release } from './edk2/releases.ts'
import type { MemoryServices } from './memory-services.ts'
import { PATINA } from './patina/patina.ts'
import { RUST_HYPERVISOR } from './rust-hypervisor/rust-hypervisor.ts'
import { U_BOOT, U_BOOT_LMB } from './u-boot/u-boot.ts'

/** EDK2's, oldest first. */
export const edk2Allocators = once((): readonly MemoryServices[] => EDK2_RELEASES.map(edk2))

/** The allocators, made when somebody asks for all. */
export const allocators = once((): readonly MemoryServices[] => [
  ...edk2Allocators(),
  U_BOOT,
  U_BOOT_LMB,
  RUST_HYPERVISOR,
  PATINA,
])

/** In the order of listings. */
export const ALLOCATORS: readonly MemoryServices[] = /* @__PURE__ */ allocators()

/** The default allocator (FW-55). */
export const DEFAULT_ALLOCATOR = edk2('2022.11')

/** Names allowed in a firmware file. */
export type AllocatorId =
  `edk2-${Edk2Release}` | 'u-boot' | 'u-boot-2025.01' | 'rust-hypervisor-firmware' | 'patina'
