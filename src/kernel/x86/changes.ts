/**
 * Changes of linux: one entry per upstream change visible to the model, with upstream's title and the
 * releases that have it. A back-port is one more release in `in`. Chapters EP and ZO.
 */
import { TEXTS } from '../../messages/texts.ts'
import { changesOf, type Change } from '../../releases/change.ts'
import type { Seen } from '../../releases/history.ts'
import type { Asked, KernelBehaviour } from './behaviour.ts'

const change = changesOf<KernelBehaviour>()

const NOTHING: Asked = { 'code32-start': false, 'init-window': false, 'bss-zero': false, 'bss-owned': false }
/** Source: linux@5.10.223 drivers/firmware/efi/libstub/x86-stub.c efi_pe_entry. */
const NO_BOOT_PARAMS = TEXTS['kernel/no-boot-params']
const MEMORY_OPTIONS = ['mem=', 'memmap=', 'hugepages='] as const

/** How 4.19 behaves. */
export const base: KernelBehaviour = {
  entryCode: { runs: true },
  bssAtHandover: { bss: 'as-found' },
  bssAtPeEntry: { bss: 'as-found' },
  zeroPage: { way: 'efi_low_alloc', bytes: 0x4000, message: NO_BOOT_PARAMS },
  setupHeader: { way: 'copied', to: 'end-of-sector', code32Start: true, wipesSetupData: false },
  commandLine: { into: 'efi_high_alloc', cut: false },
  filesAtEntry: { into: 'efi_high_alloc' },
  paging: { by: 'head_64.S' },
  place: {
    way: 'efi_relocate_kernel',
    when: 'not-at-pref_address',
    copies: 'init_size',
    lowest: 'any',
  },
  initrd: { loadFile2: false, files: false, table: false },
  exit: { map: 'EfiLoaderData', buffer: 'grown', slack: 8, unaccepted: false },
  run: { by: 'head_64.S' },
  startup32: { compares: 'signed' },
  trampoline: { when: 'always', search: 'assumed' },
  pageTables: { when: 'with-kaslr' },
  reserveInitrd: { below: 'half-of-memory', initrdmem: false },
  asks: { 'efi-handover': { ...NOTHING, 'code32-start': true }, 'pe-entry': NOTHING },
  shapes: ['bss-section'],
}

/** In the order of the main line. */
export const changes: readonly Change<KernelBehaviour>[] = [
  change(
    '220dd7699c46',
    'x86, efi: Never relocate kernel below lowest acceptable address',
    { in: ['5.3.11', '5.4'] },
    { place: { lowest: 'LOAD_PHYSICAL_ADDR' } },
  ),
  change(
    '04a7d0e15606',
    'efi/libstub/x86: Avoid overflowing code32_start on PE entry',
    { in: ['5.7-rc1'] },
    { setupHeader: { code32Start: false }, asks: { 'efi-handover': { 'code32-start': false } } },
  ),
  change(
    [],
    'efi/libstub/x86: Permit bootparams struct to be allocated above 4 GB',
    { in: ['5.7-rc1'] },
    { zeroPage: { way: 'efi_allocate_pages', bytes: 0x4000, message: NO_BOOT_PARAMS } },
  ),
  change(
    '1e45bf7372c4',
    'efi/libstub: Simplify efi_high_alloc() and rename to efi_allocate_pages()',
    { in: ['5.7-rc1'] },
    { commandLine: { into: 'efi_allocate_pages' } },
  ),
  change(
    '9302c1bb8e47',
    'efi/libstub: Rewrite file I/O routine',
    { in: ['5.7-rc1'] },
    { filesAtEntry: { into: 'efi_allocate_pages' } },
  ),
  change(
    'ec93fc371f01',
    'efi/libstub: Add support for loading the initrd from a device path',
    { in: ['5.7-rc1'] },
    { initrd: { loadFile2: true } },
  ),
  change(
    '3ee372ccce4d',
    'x86/boot/compressed/64: Remove .bss/.pgtable from bzImage',
    { in: ['5.7-rc1'] },
    {
      bssAtPeEntry: { bss: 'trusted' },
      asks: { 'efi-handover': { 'bss-zero': true }, 'pe-entry': { 'bss-zero': true } },
      shapes: [],
    },
  ),
  change(
    '81a34892c2c7',
    'x86/boot: Use unsigned comparison for addresses',
    { in: ['5.7-rc1'] },
    { startup32: { compares: 'unsigned' } },
  ),
  change(
    '1887c9b653f9',
    'efi/x86: Decompress at start of PE image load address',
    { in: ['5.7-rc1'] },
    { asks: { 'pe-entry': { 'init-window': true } } },
  ),
  change(
    'd5cdf4cfeac9',
    "efi/x86: Don't relocate the kernel unless necessary",
    { in: ['5.7-rc1'] },
    { place: { when: 'misaligned-handover' }, asks: { 'efi-handover': { 'init-window': true } } },
  ),
  change(
    [],
    'from here on the source of the trampoline search in head_64.S was read',
    { in: ['5.7-rc1'] },
    { trampoline: { search: 'read' } },
  ),
  change(
    '105cb9544b16',
    'efi/x86: Move efi stub globals from .bss to .data',
    { in: ['5.7-rc2'] },
    {
      bssAtHandover: { bss: 'unused' },
      bssAtPeEntry: { bss: 'unused' },
      asks: { 'efi-handover': { 'bss-zero': false }, 'pe-entry': { 'bss-zero': false } },
      shapes: ['window-fixed-entry'],
    },
  ),
  change(
    '21cb9b414301',
    'efi/x86: Always relocate the kernel for EFI handover entry',
    { in: ['5.7-rc2'] },
    { place: { when: 'every-handover' }, asks: { 'efi-handover': { 'init-window': false } } },
  ),
  change(
    '694cfd87b0c8',
    'x86/setup: Add an initrdmem= option to specify initrd physical address',
    { in: ['5.8-rc1'] },
    { reserveInitrd: { initrdmem: true } },
  ),
  change(
    [],
    'efi/x86: Use correct size for boot_params',
    { in: ['5.8-rc1'] },
    { zeroPage: { bytes: 0x1000 } },
  ),
  change(
    '987053a30016',
    'efi/x86: Move command-line initrd loading to efi_main',
    { in: ['5.8-rc1'] },
    { filesAtEntry: { into: null }, initrd: { files: true } },
  ),
  change(
    [],
    'efi/libstub: Use pool allocation for the command line',
    { in: ['5.8-rc1'] },
    { commandLine: { into: 'pool', cut: true } },
  ),
  change(
    '59476f80d878',
    'efi/x86: Only copy upto the end of setup_header',
    { in: ['5.8-rc7'] },
    { setupHeader: { to: 'end-of-header' } },
  ),
  change(
    'ca0e22d4f011',
    'x86/boot/compressed/64: Always switch to own page table',
    { in: ['5.10-rc1'] },
    { pageTables: { when: 'always' } },
  ),
  change(
    '3c45ee6dc7a1',
    'x86/setup: simplify initrd relocation and reservation',
    { in: ['5.10-rc1'] },
    { reserveInitrd: { below: 'any' } },
  ),
  change(
    '688eb28211ab',
    'efi/x86: Only copy the compressed kernel image in efi_relocate_kernel()',
    { in: ['5.11-rc1'] },
    { place: { copies: 'up-to-bss' } },
  ),
  change(
    '63bf28ceb3eb',
    'efi: x86: Wipe setup_data on pure EFI boot',
    { in: ['5.10.146', '5.15.71', '5.19.12', '6.0-rc7'] },
    { setupHeader: { wipesSetupData: true } },
  ),
  change(
    'f4dc7fffa987',
    'efi: libstub: unify initrd loading between architectures',
    { in: ['6.1-rc1'] },
    { initrd: { table: true } },
  ),
  change(
    '171539f5a90e',
    'efi: libstub: install boot-time memory map as config table',
    { in: ['6.1-rc1'] },
    { exit: { map: 'EfiACPIReclaimMemory', buffer: 'asked-for' } },
  ),
  change(
    ['2e9f46ee1599', '745e3ed85f71'],
    'efi/libstub: Implement support for unaccepted memory',
    { in: ['6.5-rc1'] },
    { exit: { unaccepted: true } },
  ),
  change(
    'd7156b986d4c',
    'x86/efistub: Clear BSS in EFI handover protocol entrypoint',
    { in: ['6.1.81', '6.6-rc1'] },
    {
      bssAtHandover: { bss: 'cleared' },
      bssAtPeEntry: { bss: 'trusted' },
      asks: { 'efi-handover': { 'bss-owned': true } },
    },
  ),
  change(
    '127920645876',
    'x86/decompressor: Avoid magic offsets for EFI handover entrypoint',
    { in: ['6.1.81', '6.6-rc1'] },
    { shapes: ['window'] },
  ),
  change(
    'f97b67a773cd',
    'x86/decompressor: Only call the trampoline when changing paging levels',
    { in: ['6.1.81', '6.6-rc1'] },
    { trampoline: { when: 'levels-change' } },
  ),
  change(
    'cb1c9e02b0c1',
    'x86/efistub: Perform 4/5 level paging switch from the stub',
    { in: ['6.1.81', '6.6-rc1'] },
    { paging: { by: 'efi-stub' } },
  ),
  change(
    'a1b87d54f4e4',
    'x86/efistub: Avoid legacy decompressor when doing EFI boot',
    { in: ['6.1.81', '6.6-rc1'] },
    {
      entryCode: { runs: false },
      place: { way: 'efi_random_alloc', minimum: 'none', noSlot: 'EFI_SUCCESS', firstSlotFor: [] },
      run: { by: 'efi-stub' },
      asks: { 'pe-entry': { 'init-window': false } },
    },
  ),
  // Since 6.3, and not in 6.1.y; x86 goes through efi_random_alloc since 6.6
  change(
    '0b1d9debe303',
    'efi/libstub: randomalloc: Return EFI_OUT_OF_RESOURCES on failure',
    { in: ['6.6-rc1'] },
    { place: { noSlot: 'EFI_OUT_OF_RESOURCES' } },
  ),
  change(
    '7e50262229fa',
    'x86/efi: Disregard setup header of loaded image',
    { in: ['6.1.88', '6.6.18', '6.7-rc1'] },
    { zeroPage: { way: '.bss' }, setupHeader: { way: 'made', softLimit: false } },
  ),
  change(
    ['5f51c5d0e905', '8eace5b35556'],
    'x86/boot: Omit compression buffer from PE/COFF image memory footprint',
    { in: ['6.1.88', '6.6.18', '6.7-rc1'] },
    { shapes: ['tight'] },
  ),
  change(
    '2f77465b05b1',
    'x86/efistub: Avoid placing the kernel below LOAD_PHYSICAL_ADDR',
    { in: ['6.1.81', '6.6.17', '6.7.5', '6.8-rc1'] },
    { place: { minimum: 'counted' } },
  ),
  change(
    'b3810c5a2cc4',
    'x86/efistub: Clear decompressor BSS in native EFI entrypoint',
    { in: ['6.1.83', '6.6.23', '6.7.11', '6.8.2', '6.9-rc1'] },
    { bssAtPeEntry: { bss: 'cleared' } },
  ),
  change(
    '3cb4a4827596',
    'efi/libstub: fix efi_random_alloc() to allocate memory at alloc_min or higher address',
    { in: ['6.1.84', '6.6.24', '6.7.12', '6.8.3', '6.9-rc1'] },
    { place: { minimum: 'kept' } },
  ),
  change(
    'decd347c2a75',
    'x86/efistub: Reinstate soft limit for initrd loading',
    { in: ['6.1.88', '6.6.24', '6.7.12', '6.8.3', '6.9-rc2'] },
    { setupHeader: { softLimit: true } },
  ),
  change(
    '15aa8fb852f9',
    'x86/efistub: Omit physical KASLR when memory reservations exist',
    { in: ['6.1.93', '6.6.33', '6.9.4', '6.10-rc1'] },
    { place: { firstSlotFor: [...MEMORY_OPTIONS, 'efi_fake_mem='] } },
  ),
  change(
    'ae835a96d72c',
    'x86/efistub: Revert to heap allocated boot_params for PE entrypoint',
    { in: ['6.1.103', '6.6.44', '6.10.3', '6.11-rc1'] },
    { zeroPage: { way: 'efi_allocate_pages', bytes: 0x1000, message: null } },
  ),
  change(
    'ebf5a79acf9a',
    'x86/efistub: Drop redundant clearing of BSS',
    { in: ['6.11-rc1'] },
    { bssAtPeEntry: { bss: 'trusted' } },
  ),
  change(
    '37aee82c213d',
    'x86/efi: Drop support for fake EFI memory maps',
    { in: ['6.11-rc1'] },
    { place: { firstSlotFor: MEMORY_OPTIONS } },
  ),
  change(
    [],
    'MajorImageVersion is 3 in every file seen from 6.12 on',
    { in: ['6.11-rc1'] },
    { shapes: ['tight', 'tight-3'] },
  ),
  change(
    'ec4696925da6',
    'efi/libstub: Bump up EFI_MMAP_NR_SLACK_SLOTS to 32',
    { in: ['6.6.88', '6.12.25', '6.14-rc1'] },
    { exit: { slack: 32 } },
  ),
  change(
    ['9c54baab4401', 'a8327be7b2aa'],
    'x86/boot: Drop CRC-32 checksum and the build tool that generates it',
    { in: ['6.15-rc1'] },
    { shapes: ['tight-3'] },
  ),
]

/** Releases whose source was read, and those that were booted. */
export const seen: Readonly<Record<string, Seen>> = {
  '5.4': 'read',
  '5.6': 'read',
  '5.7-rc1': 'read',
  '5.8-rc1': 'read',
  '5.10.13': 'read',
  '5.10.223': 'booted',
  '6.1.4': 'read',
  '6.1.170': 'booted',
  '6.1.176': 'read',
  '6.12.107': 'booted',
  '6.16.12': 'booted',
  '6.17.8': 'read',
  '6.17.13': 'booted',
  '6.18.15': 'booted',
  '6.19.6': 'read',
  '6.19.14': 'booted',
  '7.0.13': 'booted',
  '7.1.8': 'read',
  '7.1.13': 'booted',
  '7.2.8': 'read',
  '7.2.13': 'booted',
  '7.3-rc7': 'read',
  '7.3.4': 'booted',
}
