/** The pool buffer that the EFI stub reads the memory map into. Chapter EP. */

/**
 * Size of a descriptor in edk2's map. Source: edk2@stable202211 MdeModulePkg/Core/Dxe/Mem/Page.c
 * CoreGetMemoryMap.
 */
export const DESCRIPTOR_SIZE = 48
/**
 * sizeof(struct efi_boot_memmap), in front of the descriptors. Source: linux@6.12.107
 * drivers/firmware/efi/libstub/efistub.h.
 */
export const MAP_HEAD = 40

/** Owner of its bytes. */
export const MAP = 'efi-stub:memory-map'
