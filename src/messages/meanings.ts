/** The meaning of printed messages: who prints them, by which clause, why, and what to do. */
import type { AnyClauseId } from '../memory/event.ts'
import type { TextId } from './texts.ts'

export type Printer =
  | 'systemd-stub'
  | 'systemd-boot'
  | 'lanzaboote'
  | 'Linux EFI stub'
  | 'Linux decompressor'
  | 'Linux'
  | 'QEMU'
  | 'GRUB'
  | 'EDK2'
  | 'shim'
  | 'U-Boot'
  | 'GRUB peimage'

export interface Meaning {
  readonly by: Printer
  /** The clause of the step that prints it; null if the model ends before that. */
  readonly clause: AnyClauseId | null
  /** Releases that print it, if they differ from those of the clause. */
  readonly releases?: string
  readonly why: string
  readonly fix: string
}

const REBUILD =
  'Build the image again with ukify, or place the payload sections anew; `stubsim inspect` lists them.'
const DAMAGED =
  'Copy the file to the ESP again and compare its SHA-256; `stubsim inspect` shows what is missing.'
const ANOTHER_KERNEL =
  'Put another kernel into the image: one with an EFI stub (CONFIG_EFI_STUB), built for x86-64.'
const MORE_RAM =
  'Give the machine more RAM, or make kernel and initrd smaller; `stubsim map` shows who holds the memory.'
const HEADERS = 'The file is damaged, or the tool that wrote it is at fault: build it again.'

/** A section of the kernel that the stub's own loader rejects. */
const kernelSection = (why: string): Meaning => ({
  by: 'systemd-stub',
  clause: 'ST-66',
  releases: 'systemd 258 and later',
  why,
  fix:
    'The kernel in .linux is damaged or was signed or stripped by a tool that rewrote its headers: ' +
    'replace it.',
})

const shim = (clause: AnyClauseId, why: string): Meaning => ({ by: 'shim', clause, why, fix: HEADERS })
const peimage = (why: string): Meaning => ({ by: 'GRUB peimage', clause: 'PE-35', why, fix: HEADERS })
const halted = (clause: AnyClauseId, why: string, fix: string): Meaning => ({
  by: 'Linux decompressor',
  clause,
  why,
  fix,
})

export const MEANINGS: Readonly<Record<TextId, Meaning>> = {
  'stub/no-section-table': {
    by: 'systemd-stub',
    clause: 'ST-6',
    releases: 'systemd up to 256',
    why: 'The stub cannot read its own section table, or no section named .linux is in it.',
    fix: 'Add the kernel as section .linux; stubs up to 251 also refuse a table of more than 96 sections.',
  },
  'stub/no-pe-table': {
    by: 'systemd-stub',
    clause: 'ST-7',
    releases: 'systemd 257 and later',
    why:
      'The PE header of the running image is not one of this architecture, or its section table is ' +
      'outside it.',
    fix: REBUILD,
  },
  'stub/no-linux': {
    by: 'systemd-stub',
    clause: 'ST-10',
    why: 'The image has no section .linux, or the section is empty.',
    fix: 'Add the kernel as section .linux: `ukify build --linux=…`.',
  },
  'stub/no-profile': {
    by: 'systemd-stub',
    clause: 'ST-11',
    why: 'The load options ask for a profile (@N) that the image does not have.',
    fix: 'Remove @N from the boot entry, or build the image with that profile.',
  },
  'stub/bad-kernel': {
    by: 'systemd-stub',
    clause: 'ST-27',
    releases: 'systemd 250 and later',
    why:
      'What lies in .linux is not a PE file of this architecture, or it was overwritten before it was ' +
      'read.',
    fix: ANOTHER_KERNEL,
  },
  'stub/load-image': {
    by: 'systemd-stub',
    clause: 'ST-28',
    why:
      'LoadImage of the firmware refuses the kernel in .linux: wrong headers, no memory, or no valid ' +
      'signature.',
    fix:
      'Under Secure Boot sign the kernel itself, too; else read the status: `stubsim check` names the ' +
      'cause.',
  },
  'stub/load-with-shim': {
    by: 'systemd-stub',
    clause: 'ST-67',
    why: 'Under Secure Boot with shim, LoadImage refuses the kernel in .linux.',
    fix: 'Sign the kernel with a key that shim or the firmware trusts.',
  },
  'stub/exec-failed': {
    by: 'systemd-stub',
    clause: 'ST-31',
    why:
      'The setup header in .linux is not that of a relocatable kernel, or boot_params or command line ' +
      'get no memory.',
    fix: ANOTHER_KERNEL,
  },
  'stub/unsupported-kernel': {
    by: 'systemd-stub',
    clause: 'ST-32',
    why: 'Section .linux does not begin with the setup header of a bzImage.',
    fix: ANOTHER_KERNEL,
  },
  'stub/kernel-too-old': {
    by: 'systemd-stub',
    clause: 'ST-32',
    why: 'The kernel speaks a boot protocol before 2.11, which has no EFI handover.',
    fix: ANOTHER_KERNEL,
  },
  'stub/not-relocatable': {
    by: 'systemd-stub',
    clause: 'ST-32',
    why: 'The kernel was built without CONFIG_RELOCATABLE and cannot run inside the image.',
    fix: 'Build the kernel with CONFIG_RELOCATABLE=y.',
  },
  'stub/no-handover': {
    by: 'systemd-stub',
    clause: 'ST-32',
    why: 'The kernel has no 64-bit EFI handover entry, and its PE header does not offer the other way in.',
    fix: 'Build the kernel with CONFIG_EFI_HANDOVER_PROTOCOL=y, or take a kernel of 5.8 or later.',
  },
  'stub/kernel-above-4g': {
    by: 'systemd-stub',
    clause: 'ST-56',
    why: 'The firmware loaded the image above 4 GiB, and the kernel does not set XLF_CAN_BE_LOADED_ABOVE_4G.',
    fix: 'Use a stub of 254 or later, which copies the kernel, or a relocatable 64-bit kernel.',
  },
  'stub/initrd-above-4g': {
    by: 'systemd-stub',
    clause: 'ST-57',
    why: 'The initrd lies above 4 GiB, where a kernel without XLF_CAN_BE_LOADED_ABOVE_4G cannot reach it.',
    fix: 'Use a stub of 254 or later, which copies the initrd, or a relocatable 64-bit kernel.',
  },
  'stub/cannot-read-sections': {
    by: 'systemd-stub',
    clause: 'ST-91',
    why: "The kernel's section table ends outside .linux.",
    fix: DAMAGED,
  },
  'stub/base-relocations': {
    by: 'systemd-stub',
    clause: 'ST-60',
    why: "The kernel in .linux has base relocations, which the stub's own loader does not apply.",
    fix: 'Use a Linux kernel as its build makes it; other EFI programs do not run from .linux here.',
  },
  'stub/section-relocations': {
    by: 'systemd-stub',
    clause: 'ST-60',
    why: 'A section of the kernel has relocations of its own.',
    fix: 'Use a Linux kernel as its build makes it.',
  },
  'stub/section-outside': kernelSection(
    "A section of the kernel does not lie within the kernel's SizeOfImage.",
  ),
  'stub/virtual-outside': kernelSection(
    "The VirtualSize of a section of the kernel reaches beyond the kernel's SizeOfImage.",
  ),
  'stub/raw-overflow': kernelSection('Address and raw size of a section of the kernel overflow 32 bits.'),
  'stub/raw-over-virtual': kernelSection('A section of the kernel has more raw data than VirtualSize.'),
  'stub/virtual-overflow': kernelSection(
    'Address and VirtualSize of a section of the kernel overflow 32 bits.',
  ),
  'stub/file-overflow': kernelSection(
    'File offset and raw size of a section of the kernel overflow 32 bits.',
  ),
  'stub/raw-outside-file': kernelSection('The raw data of a section of the kernel end beyond .linux.'),
  'lanzaboote/configuration': {
    by: 'lanzaboote',
    clause: 'LZ-5',
    releases: 'lanzaboote 0.4 and later',
    why: 'A section with a path, a hash or the command line is missing, or is not what it should be.',
    fix: 'Install the generation again with lzbt (`nixos-rebuild boot`).',
  },
  'lanzaboote/configuration-0.3': {
    by: 'lanzaboote',
    clause: 'LZ-5',
    releases: 'lanzaboote up to 0.3',
    why: 'A section with a path, a hash or the command line is missing, or is not what it should be.',
    fix: 'Install the generation again with lzbt (`nixos-rebuild boot`).',
  },
  'lanzaboote/configuration-old': {
    by: 'lanzaboote',
    clause: 'LZ-5',
    why: 'A section is missing or wrong, or kernel or initrd cannot be read from the ESP.',
    fix: 'Install the generation again with lzbt (`nixos-rebuild boot`); see that the ESP is not full.',
  },
  'lanzaboote/assertion': {
    by: 'lanzaboote',
    clause: 'LZ-3',
    why: 'A section has a VirtualSize that is more than its raw data.',
    fix: 'Build the image with the lzbt that belongs to the stub.',
  },
  'lanzaboote/slice': {
    by: 'lanzaboote',
    clause: 'LZ-2',
    why: 'A section ends outside the loaded image.',
    fix: 'Build the image with the lzbt that belongs to the stub.',
  },
  'lanzaboote/load-kernel': {
    by: 'lanzaboote',
    clause: 'LZ-18',
    why: "The stub's own loader does not take the kernel.",
    fix: ANOTHER_KERNEL,
  },
  'lanzaboote/non-secure': {
    by: 'lanzaboote',
    clause: 'LZ-10',
    why: 'Kernel or initrd on the ESP do not have the hash that the image holds.',
    fix: 'Install the generation again; without Secure Boot the boot goes on.',
  },
  'lanzaboote/hash': {
    by: 'lanzaboote',
    clause: 'LZ-11',
    releases: 'lanzaboote 0.4 and later',
    why: 'Kernel or initrd on the ESP do not have the SHA-256 that the image holds.',
    fix: 'Install the generation again with lzbt (`nixos-rebuild boot`).',
  },
  'kernel/no-boot-params': {
    by: 'Linux EFI stub',
    clause: 'EP-8',
    why: 'No pages are free for boot_params.',
    fix: MORE_RAM,
  },
  'kernel/no-gdt-pointer': {
    by: 'Linux EFI stub',
    clause: 'EP-27',
    releases: 'Linux up to 5.6',
    why: 'The firmware has no pool memory left.',
    fix: MORE_RAM,
  },
  'kernel/no-gdt': {
    by: 'Linux EFI stub',
    clause: 'EP-27',
    releases: 'Linux up to 5.6',
    why: 'No page is free for the descriptor table.',
    fix: MORE_RAM,
  },
  'kernel/decompress': {
    by: 'Linux EFI stub',
    clause: 'EP-21',
    why: 'The EFI stub finds no aligned run of free memory for the decompressed kernel.',
    fix: MORE_RAM,
  },
  'kernel/no-memory': {
    by: 'Linux EFI stub',
    clause: 'EP-17',
    why: 'No aligned run of init_size bytes is free at pref_address or anywhere the kernel may go.',
    fix: MORE_RAM,
  },
  'kernel/memory-attribute': {
    by: 'Linux EFI stub',
    clause: 'EP-40',
    why:
      'The firmware has the memory attributes protocol but refuses to change the permissions of the ' +
      'output.',
    fix:
      'Update the firmware; a kernel with the quirk for it, or the NX setting of the firmware turned ' +
      'off, helps.',
  },
  'kernel/decompression': {
    by: 'Linux EFI stub',
    clause: 'EP-36',
    why: 'The compressed kernel is corrupt: in the file, or because something was written over it.',
    fix: 'Check with --deep: it tells a damaged file from a payload that was overwritten during the boot.',
  },
  'kernel/initrd': {
    by: 'Linux EFI stub',
    clause: 'EP-14',
    why: 'LoadFile2 for the initrd failed, mostly because no run of free pages is as long as the initrd.',
    fix: MORE_RAM,
  },
  'kernel/initrd-volume': {
    by: 'Linux EFI stub',
    clause: 'EP-49',
    why:
      'The option initrd= names a file, but the kernel was loaded from memory, so it has no volume to ' +
      'read from.',
    fix: 'Remove initrd= from the command line of a unified kernel image: the initrd is in the image.',
  },
  'kernel/initrd-too-large': {
    by: 'Linux',
    clause: 'ZO-53',
    why: 'The initrd has half of the memory or more.',
    fix: 'Make the initrd smaller, give the machine more RAM, or take a kernel from 5.10 on.',
  },
  'kernel/initrd-files': {
    by: 'Linux EFI stub',
    clause: 'EP-49',
    why: 'No pages are free for the files that initrd= names.',
    fix: MORE_RAM,
  },
  'kernel/initrd-files-high': {
    by: 'Linux EFI stub',
    clause: 'EP-51',
    why: 'No pages below initrd_addr_max are free for the files that initrd= names.',
    fix: MORE_RAM,
  },
  'kernel/unaccepted': {
    by: 'Linux EFI stub',
    clause: 'EP-46',
    why: 'The firmware has no pool memory for the bitmap of unaccepted memory.',
    fix: MORE_RAM,
  },
  'decompressor/halted': halted(
    'ZO-25',
    'The decompressor met something it cannot go on with; the line before says what.',
    'Explain the line before. If the payload is corrupt, something may have been written over it: check ' +
      'the image.',
  ),
  'decompressor/no-elf': halted(
    'ZO-26',
    'What was decompressed is not an ELF file: the payload, or the memory it was read from, is damaged.',
    'Check the image on this machine with --deep.',
  ),
  'decompressor/segment-alignment': halted(
    'ZO-26',
    'A segment of vmlinux is not aligned to 2 MiB, as linkers with --nmagic or large page sizes make it.',
    'Build the kernel with `-z max-page-size=0x200000`.',
  ),
  'decompressor/output-alignment': halted(
    'ZO-10',
    'The place chosen for the kernel is not a multiple of 2 MiB: kernel_alignment in boot_params is too ' +
      'small.',
    'The boot loader or stub wrote a wrong setup header; `stubsim check` names the contract.',
  ),
  'decompressor/heap-too-high': halted(
    'ZO-30',
    'The decompressor works above the address that its heap may have.',
    'Boot loader or firmware placed the kernel too high: use the PE entry, or a boot loader that stays ' +
      'lower.',
  ),
  'decompressor/beyond-mapping': halted(
    'ZO-30',
    'The extracted kernel is longer than the kernel mapping (1 GiB with KASLR, else 512 MiB).',
    'Make the kernel smaller.',
  ),
  'qemu/initrd-too-large': {
    by: 'QEMU',
    clause: 'HO-14',
    why: 'The initrd given with -initrd does not fit below its limit.',
    fix: MORE_RAM,
  },
  'grub/out-of-memory': {
    by: 'GRUB',
    clause: 'HO-13',
    why: 'GRUB finds no memory for kernel or initrd below the limits of the boot protocol.',
    fix: MORE_RAM,
  },
  'grub/no-conventional': {
    by: 'GRUB',
    clause: 'HO-16',
    why: 'Memory that the firmware calls free cannot be allocated for the heap of GRUB.',
    fix: 'A fault of the firmware: update it, or start the image without GRUB.',
  },
  'grub/too-little-memory': {
    by: 'GRUB',
    clause: 'HO-16',
    why: 'There is not enough free memory for the heap of GRUB.',
    fix: MORE_RAM,
  },
  'grub/kernel-buffer': {
    by: 'GRUB',
    clause: 'HO-16',
    why: 'The heap of GRUB does not hold the kernel file.',
    fix: MORE_RAM,
  },
  'grub/no-handover': {
    by: 'GRUB',
    clause: 'HO-35',
    why: 'The kernel has no EFI handover entry, which linuxefi needs.',
    fix: 'Build the kernel with CONFIG_EFI_HANDOVER_PROTOCOL=y, or use the command `linux` of GRUB 2.12.',
  },
  'edk2/boot-option': {
    by: 'EDK2',
    clause: 'PE-21',
    why: 'LoadImage or StartImage of a boot option failed; the status says why.',
    fix:
      'Not Found: the file is missing or is not an EFI application. Else run `stubsim check` on the ' +
      'image.',
  },
  'shim/invalid-image': shim(
    'PE-32',
    'The headers are not those of a PE file, or SizeOfImage is less than they are.',
  ),
  'shim/platform': shim('PE-32', 'The image is for another architecture.'),
  'shim/file-alignment': shim('PE-32', 'FileAlignment is odd.'),
  'shim/header-too-large': shim('PE-32', 'The optional header has more than 16 data directories.'),
  'shim/data-directory': shim('PE-32', 'The data directories do not fill the optional header.'),
  'shim/sections-overflow-size': shim('PE-32', 'SizeOfImage has no room for the section table.'),
  'shim/sections-overflow-headers': shim('PE-32', 'SizeOfHeaders has no room for the section table.'),
  'shim/relocations-stripped': shim('PE-32', 'The relocations were stripped from the image.'),
  'shim/security-header': shim('PE-32', 'The certificate table begins beyond the end of the file.'),
  'shim/section': shim('PE-30', 'A section lies outside the image or inside its headers.'),
  'shim/section-size': shim('PE-55', 'Headers and sections together have more bytes than the file.'),
  'shim/section-header': shim('PE-55', 'The raw data of a section end beyond the end of the file.'),
  'shim/certificate-table': shim('PE-55', 'The certificate table is not the end of the file.'),
  'shim/image-buffer': { by: 'shim', clause: 'PE-28', why: 'No free memory holds the image.', fix: MORE_RAM },
  'u-boot/no-pe': {
    by: 'U-Boot',
    clause: 'PE-39',
    why: 'The file does not have the headers of a PE.',
    fix: HEADERS,
  },
  'u-boot/machine': {
    by: 'U-Boot',
    clause: 'PE-39',
    why: 'The image is for another architecture.',
    fix: 'Use an image for the architecture that U-Boot runs on.',
  },
  'peimage/truncated': peimage('The file ends inside its headers or a section.'),
  'peimage/machine': peimage('The image is for another architecture.'),
  'peimage/subsystem': peimage('The subsystem is not that of an EFI application.'),
  'peimage/alignment': peimage('SectionAlignment is not a power of two.'),
  'peimage/section-in-header': peimage('A section begins inside the headers.'),
  'peimage/section-outside': peimage('A section ends outside SizeOfImage.'),
}
