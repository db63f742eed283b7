/**
 * How a kernel behaves, as plain data: one record per slot, in upstream's terms, the shape of its files, and
 * its requirements of the loader. Chapters EP and ZO.
 */
import type { ContractName } from '../../machine/x86/contracts.ts'

/**
 * What the EFI stub does about the decompressor's .bss before it uses its globals. `cleared`: itself.
 * `trusted`: it relies on the PE loader. `as-found`: it is not cleared. `unused`: the globals are in .data.
 */
export type Bss = 'cleared' | 'trusted' | 'as-found' | 'unused'

/** The zero page of a PE entry: pages, or a variable of the EFI stub. */
export type ZeroPage =
  | {
      readonly way: 'efi_low_alloc' | 'efi_allocate_pages'
      /** Bytes allocated and cleared; boot_params itself is 4 KiB. */
      readonly bytes: number
      /** Message on failure; null for none. */
      readonly message: string | null
    }
  | { readonly way: '.bss' }

/** The setup header of a PE entry: that of the loaded image, or the few fields that are read later. */
export type SetupHeaderSource =
  | {
      readonly way: 'copied'
      /** Where the copy ends. */
      readonly to: 'end-of-sector' | 'end-of-header'
      /** Does code32_start become the address of `startup_32`? */
      readonly code32Start: boolean
      /** Is setup_data set to 0? */
      readonly wipesSetupData: boolean
    }
  | {
      readonly way: 'made'
      /** Is initrd_addr_max set? Otherwise it is 0, and nothing limits where files of initrd= go. */
      readonly softLimit: boolean
    }

/** Either the compressed kernel moves, or the EFI stub decompresses it. */
export type Placement =
  | {
      readonly way: 'efi_relocate_kernel'
      /**
       * In addition to kernels placed too low or too high. `not-at-pref_address`: whenever code32_start is
       * not pref_address.
       */
      readonly when: 'not-at-pref_address' | 'misaligned-handover' | 'every-handover'
      /** Bytes that are copied. */
      readonly copies: 'init_size' | 'up-to-bss'
      /** The lowest address of a copy. */
      readonly lowest: 'any' | 'LOAD_PHYSICAL_ADDR'
    }
  | {
      readonly way: 'efi_random_alloc'
      /**
       * LOAD_PHYSICAL_ADDR as the lowest address: ignored, applied only when slots are counted, or applied
       * always.
       */
      readonly minimum: 'none' | 'counted' | 'kept'
      /** The status when nothing fits. */
      readonly noSlot: 'EFI_SUCCESS' | 'EFI_OUT_OF_RESOURCES'
      /** Command line options that make it use the first slot. */
      readonly firstSlotFor: readonly string[]
    }

/** What a kernel requires of the boot loader, beyond the requirements of every kernel. */
export type Asked = Readonly<
  Record<Extract<ContractName, 'code32-start' | 'init-window' | 'bss-zero' | 'bss-owned'>, boolean>
>

/**
 * The shape of a kernel file, as far as its headers show its age. `bss-section`: a PE section .bss, ImageBase
 * 0. `window-fixed-entry`: SizeOfImage is init_size and kernel_alignment, handover_offset 0x190. `window`:
 * the same with the entry elsewhere. `tight`: pages as sections, SizeOfImage below init_size. `tight-3`: the
 * same with MajorImageVersion 3.
 */
export type KernelShape = 'bss-section' | 'window-fixed-entry' | 'window' | 'tight' | 'tight-3'

/** The differences between kernels. */
export interface KernelBehaviour {
  /** Does the code in front of the payload (.head.text) run on an EFI boot? */
  readonly entryCode: { readonly runs: boolean }
  /** .bss after a handover. */
  readonly bssAtHandover: { readonly bss: Bss }
  /** .bss after a PE entry. */
  readonly bssAtPeEntry: { readonly bss: Bss }
  readonly zeroPage: ZeroPage
  readonly setupHeader: SetupHeaderSource
  /** PE entry: where the converted command line goes, and whether it is truncated to COMMAND_LINE_SIZE. */
  readonly commandLine: {
    readonly into: 'efi_high_alloc' | 'efi_allocate_pages' | 'pool'
    readonly cut: boolean
  }
  /** PE entry: are files of initrd= loaded before anything else, and into what? */
  readonly filesAtEntry: { readonly into: 'efi_high_alloc' | 'efi_allocate_pages' | null }
  /** Who changes the number of paging levels on an EFI boot. */
  readonly paging: { readonly by: 'head_64.S' | 'efi-stub' }
  readonly place: Placement
  /**
   * Is an initrd requested through LoadFile2, are files of initrd= loaded if there is none, and does a
   * configuration table say where it is?
   */
  readonly initrd: { readonly loadFile2: boolean; readonly files: boolean; readonly table: boolean }
  /** The last memory map. */
  readonly exit: {
    /** Type of the pool memory that holds it. */
    readonly map: 'EfiLoaderData' | 'EfiACPIReclaimMemory'
    /** Is a buffer grown until the map fits, or is its size queried? */
    readonly buffer: 'grown' | 'asked-for'
    /** EFI_MMAP_NR_SLACK_SLOTS: spare descriptors. */
    readonly slack: number
    /** Is unaccepted memory supported? If so, the map itself is read to count it. */
    readonly unaccepted: boolean
  }
  /** The code that runs from the end of boot services to the extracted kernel's first instruction. */
  readonly run: { readonly by: 'head_64.S' | 'efi-stub' }
  /** How `startup_32` compares an address with LOAD_PHYSICAL_ADDR. */
  readonly startup32: { readonly compares: 'signed' | 'unsigned' }
  /** When head_64.S uses a trampoline in low memory, and whether the source of its search was read. */
  readonly trampoline: { readonly when: 'always' | 'levels-change'; readonly search: 'read' | 'assumed' }
  /** When the moved decompressor builds page tables of its own. */
  readonly pageTables: { readonly when: 'with-kaslr' | 'always' }
  /** The extracted kernel: the largest initrd that it accepts, and whether initrdmem= may name it. */
  readonly reserveInitrd: { readonly below: 'half-of-memory' | 'any'; readonly initrdmem: boolean }
  /** Contracts of this release, by the EFI entry method. */
  readonly asks: Readonly<Record<'efi-handover' | 'pe-entry', Asked>>
  /**
   * Shapes of its files; empty if only the version string can tell (a release candidate that looks like its
   * successors).
   */
  readonly shapes: readonly KernelShape[]
}
