/**
 * Four small kernels, Linux 5.10.223 configured down, built to see the two faults of 5.7-rc1 on real code.
 * Header fields, `_bss`, `_ebss` (of those with variables in .bss),
 * `pgtable` and `_end` are measured; the PE headers follow from them by the rules of header.S; the places of
 * version, heap, kernel_info and stack are chosen here.
 */
import type { KernelFacts } from '../../src/image/x86/kernel-facts.ts'

const SETUP = 0x3800
const INIT_SIZE = 0xbfa000
const SIZE_OF_IMAGE = INIT_SIZE + 0x200000

function tiny(variant: string, _bss: number, _ebss: number): KernelFacts {
  const fileSize = SETUP + _bss
  return {
    name: `own-5.10.223-${variant}`,
    version: `5.10.223 (o@o) #1 ${variant}`,
    fileSize,
    hdr: {
      setup_sects: SETUP / 512 - 1,
      syssize: _bss / 16,
      kernel_version: 0x3400,
      heap_end_ptr: 0x4e00,
      xloadflags: 0x2b,
      payload_offset: 0x3b1,
      payload_length: 0x15551f,
      init_size: INIT_SIZE,
      handover_offset: 0x190,
      kernel_info_offset: 0x160000,
    },
    compression: 'gzip',
    output_len: 12092508,
    setup_type_max: 0x80000006,
    geometry: {
      _bss,
      _ebss,
      pgtable: 0x17a000,
      _end: 0x19b000,
      boot_stack_end: _bss + 0x14000,
      relocated: 0x1558d0,
    },
    pe: {
      e_lfanew: 0x82,
      linuxMagic: false,
      certificates: null,
      compatEntry: 0,
      optional: {
        SizeOfCode: SIZE_OF_IMAGE - 0x200,
        SizeOfInitializedData: 0,
        AddressOfEntryPoint: 0x15f466,
        BaseOfCode: 0x200,
        ImageBase: 0x1000000,
        SectionAlignment: 0x20,
        FileAlignment: 0x20,
        SizeOfImage: SIZE_OF_IMAGE,
        SizeOfHeaders: 0x200,
        CheckSum: 0,
        DllCharacteristics: 0,
        MajorImageVersion: 1,
      },
      sections: [
        ['.setup', 0x200, SETUP - 0x220, 0x200, SETUP - 0x220, 0x60500020],
        ['.reloc', SETUP - 0x20, 0x20, SETUP - 0x20, 0x20, 0x42100040],
        ['.text', SETUP, SIZE_OF_IMAGE - SETUP, SETUP, _bss, 0x60500020],
      ],
    },
    vmlinux: {
      entry: 0,
      kernel_total_size: 0xa1c000,
      segmentsEnd: 0xa1c000,
      relocations: 0,
      loads: [
        [0x200000, 0x1000000, 0x66e66c],
        [0xa00000, 0x1800000, 0xe1000],
        [0xae1000, 0x18e1000, 0x13b000],
      ],
    },
  }
}

/**
 * `stock` as released; `inplace` moves itself only where it must; `bss` keeps its stub's variables in .bss;
 * `both` has the two faults of 5.7-rc1.
 */
export const TINY_KERNELS: readonly KernelFacts[] = [
  tiny('stock', 0x161dc0, 0x179680),
  tiny('inplace', 0x161dc0, 0x179680),
  tiny('bss', 0x161d80, 0x179658),
  tiny('both', 0x161d80, 0x179658),
]

/**
 * Offset from `startup_32` of the stub's variables that lie in .bss in `bss` and `both`, and their length.
 */
export const TINY_STUB_VARIABLES = { at: 0x179620, length: 0x18 } as const
