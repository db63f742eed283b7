/**
 * Messages that stub, kernel and boot loader print in the modelled paths, as in their sources. `{status}` and
 * the like mark variable parts. Steps print from this table; `explain` searches it for a pasted line.
 */

export const TEXTS = {
  'stub/no-section-table': 'Unable to locate embedded .linux section',
  'stub/no-pe-table': 'Unable to locate PE section table',
  'stub/no-linux': 'Image lacks .linux section.',
  'stub/no-profile': 'Unable to locate embedded per-profile PE sections: {status}',
  'stub/bad-kernel': 'Bad kernel image: {status}',
  'stub/load-image': 'Error loading kernel image: {status}',
  'stub/load-with-shim': 'Error loading inner kernel with shim: {status}',
  'stub/exec-failed': 'Execution of embedded linux image failed: {status}',
  'stub/unsupported-kernel': 'Unsupported kernel image.',
  'stub/kernel-too-old': 'Kernel too old.',
  'stub/not-relocatable': 'Kernel is not relocatable.',
  'stub/no-handover': 'Kernel does not support EFI handover protocol.',
  'stub/kernel-above-4g': 'Unified kernel image was loaded above 4G, but kernel lacks support.',
  'stub/initrd-above-4g': 'Initrd is above 4G, but kernel lacks support.',
  'stub/cannot-read-sections': 'Cannot read sections: {status}',
  'stub/base-relocations': 'Inner kernel image contains base relocations, which we do not support.',
  'stub/section-relocations':
    'Inner kernel image contains sections with relocations, which we do not support.',
  'stub/section-outside': 'Section would write outside of memory',
  'stub/virtual-outside': 'Section virtual size would write outside of memory',
  'stub/raw-overflow': 'Invalid PE section, SizeOfRawData + VirtualAddress, overflows',
  'stub/raw-over-virtual': 'Invalid PE section, raw data size is greater than virtual size',
  'stub/virtual-overflow': 'Invalid PE section, VirtualSize + VirtualAddress overflows',
  'stub/file-overflow': 'Invalid PE section, PointerToRawData + SizeOfRawData overflows',
  'stub/raw-outside-file': 'Invalid PE section, raw data extends outside of file',
  'lanzaboote/configuration': 'Failed to extract configuration from binary.',
  'lanzaboote/configuration-0.3': 'Failed to extract configuration from binary. Did you run lzbt?',
  'lanzaboote/configuration-old':
    'Failed to extract configuration from binary and load kernel/initrd from disk. Did you run lzbt?',
  'lanzaboote/assertion': 'assertion failed: s.virtual_size <= s.size_of_raw_data',
  'lanzaboote/slice': 'range end index out of range for slice',
  'lanzaboote/load-kernel': 'Failed to load the kernel',
  'lanzaboote/non-secure':
    'Trying to continue as non-Secure Boot. This will fail when Secure Boot is enabled.',
  'lanzaboote/hash': '{file} hash does not match!',
  'kernel/no-boot-params': 'Failed to allocate lowmem for boot params',
  'kernel/no-gdt-pointer': "Failed to allocate memory for 'gdt' structure\nefi_main() failed!",
  'kernel/no-gdt': "Failed to allocate memory for 'gdt'\nefi_main() failed!",
  'kernel/decompress': 'Failed to decompress kernel\nefi_stub_entry() failed!',
  'kernel/no-memory': 'Failed to allocate usable memory for kernel.\n{rest}',
  'kernel/memory-attribute': 'Failed to set EFI_MEMORY_RO attribute\n{rest}',
  'kernel/decompression': 'Decompression failed: {why}\n{rest}',
  'kernel/initrd': 'Failed to load initrd: {status}',
  'kernel/initrd-volume': 'Failed to handle fs_proto',
  'kernel/initrd-files': 'Failed to allocate memory for files',
  'kernel/initrd-files-high': 'Failed to alloc highmem for files',
  'kernel/initrd-too-large':
    'Kernel panic - not syncing: initrd too large to handle, ' +
    'disabling initrd ({needed} needed, {available} available)',
  'kernel/unaccepted': 'Failed to allocate unaccepted memory config table',
  'decompressor/halted': '{why}\n -- System halted',
  'decompressor/no-elf': 'Kernel is not a valid ELF file',
  'decompressor/segment-alignment': "Alignment of LOAD segment isn't multiple of 2MB",
  'decompressor/output-alignment': 'Destination physical address inappropriately aligned',
  'decompressor/heap-too-high': 'Destination address too large',
  'decompressor/beyond-mapping': 'Destination virtual address is beyond the kernel mapping area',
  'qemu/initrd-too-large': 'qemu: initrd is too large, cannot support.',
  'grub/out-of-memory': 'error: out of memory.',
  'grub/no-conventional': 'error: cannot allocate conventional memory.',
  'grub/too-little-memory': 'error: too little memory.',
  'grub/kernel-buffer': 'error: cannot allocate kernel buffer.',
  'grub/no-handover': "error: kernel doesn't support EFI handover.",
  'edk2/boot-option': 'BdsDxe: failed to {what} {option} : {status}',
  'shim/invalid-image': 'Invalid image',
  'shim/platform': 'Platform does not support this image',
  'shim/file-alignment': 'File Alignment is invalid ({number})',
  'shim/header-too-large': 'Image header too large',
  'shim/data-directory': 'Image header overflows data directory',
  'shim/sections-overflow-size': 'Image sections overflow image size',
  'shim/sections-overflow-headers': 'Image sections overflow section headers',
  'shim/relocations-stripped': 'Unsupported image - Relocations have been stripped',
  'shim/security-header': 'Malformed security header',
  'shim/section': 'Section {number} {why}',
  'shim/section-size': 'Malformed section {number} size',
  'shim/section-header': 'Malformed section header',
  'shim/certificate-table': 'Malformed binary after Attribute Certificate Table',
  'shim/image-buffer': 'Failed to allocate image buffer',
  'u-boot/no-pe': 'Not a PE-COFF file',
  'u-boot/machine': 'Machine type {number} is not supported',
  'peimage/truncated': 'truncated image',
  'peimage/machine': 'wrong machine type {number}',
  'peimage/subsystem': 'expected EFI application',
  'peimage/alignment': 'invalid section alignment',
  'peimage/section-in-header': 'section inside header',
  'peimage/section-outside': 'section outside image',
} as const

export type TextId = keyof typeof TEXTS

/** The text with its variable parts filled in. A name without a value is left unchanged. */
export function printed(id: TextId, values: Readonly<Record<string, string>> = {}): string {
  return TEXTS[id].replaceAll(/\{([a-z]+)\}/g, (whole, name: string) => values[name] ?? whole)
}
