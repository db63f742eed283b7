/**
 * Header fields and link addresses of nine Debian kernels for x86-64, measured on the binaries, and two
 * kernels derived from them. Their code is not here.
 */
import type { Compression } from './bzimage.ts'
import type { SectionFacts } from '../stub-facts.ts'

/**
 * What a bzImage says and is, as plain data: enough to write a file that the boot path cannot tell from the
 * real one where it looks.
 */
export interface KernelFacts {
  readonly name: string
  /** The whole version string; its first word is the release. */
  readonly version: string
  readonly fileSize: number
  /**
   * Setup-header fields that differ between kernels; the rest is the same in all that were measured
   * (kernel-bytes.ts).
   */
  readonly hdr: {
    readonly setup_sects: number
    readonly syssize: number
    readonly kernel_version: number
    readonly heap_end_ptr: number
    readonly xloadflags: number
    readonly payload_offset: number
    readonly payload_length: number
    readonly init_size: number
    readonly handover_offset: number
    readonly kernel_info_offset: number
  }
  readonly compression: Compression
  readonly output_len: number
  /** Of kernel_info. */
  readonly setup_type_max: number
  /** Offsets from `startup_32`. */
  readonly geometry: {
    readonly _bss: number
    readonly _ebss: number
    readonly pgtable: number
    readonly _end: number
    readonly boot_stack_end: number
    readonly relocated: number
  }
  readonly pe: {
    readonly e_lfanew: number
    /** LINUX_PE_MAGIC at 0x38. */
    readonly linuxMagic: boolean
    /** File offset and size of the certificate table of a signed kernel. */
    readonly certificates: readonly [at: number, size: number] | null
    /** 32-bit entry that `.compat` names. */
    readonly compatEntry: number
    readonly optional: {
      readonly SizeOfCode: number
      readonly SizeOfInitializedData: number
      readonly AddressOfEntryPoint: number
      readonly BaseOfCode: number
      readonly ImageBase: number
      readonly SectionAlignment: number
      readonly FileAlignment: number
      readonly SizeOfImage: number
      readonly SizeOfHeaders: number
      readonly CheckSum: number
      readonly DllCharacteristics: number
      readonly MajorImageVersion: number
    }
    readonly sections: readonly SectionFacts[]
  }
  /** The decompressed kernel, which no header of the bzImage describes. */
  readonly vmlinux: {
    /** e_entry - 0x1000000. */
    readonly entry: number
    /** `_end` - `_text`. */
    readonly kernel_total_size: number
    /** End of the last segment, `.init.scratch` included, from 0x1000000. */
    readonly segmentsEnd: number
    /** Bytes of relocation table at the end of `output_len`. */
    readonly relocations: number
    /** PT_LOAD: p_offset, p_paddr, p_filesz (equal to p_memsz). */
    readonly loads: readonly (readonly [p_offset: number, p_paddr: number, size: number])[]
  }
}

const A: KernelFacts = {
  name: 'debian-5.10.223',
  version: '5.10.0-32-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 5.10.223-1 (2024-08-10)',
  fileSize: 0x6be8a0,
  hdr: {
    setup_sects: 0x1e,
    syssize: 0x6baaa,
    kernel_version: 0x38c0,
    heap_end_ptr: 0x51e0,
    xloadflags: 0x3f,
    payload_offset: 0x45c,
    payload_length: 0x6a7a40,
    init_size: 0x3b7a000,
    handover_offset: 0x190,
    kernel_info_offset: 0x6b993c,
  },
  compression: 'xz',
  output_len: 0x3ac7a70,
  setup_type_max: 0x80000006,
  geometry: {
    _bss: 0x6bb000,
    _ebss: 0x6dd880,
    pgtable: 0x6de000,
    _end: 0x6ff000,
    boot_stack_end: 0x6cf000,
    relocated: 0x6a7ea0,
  },
  pe: {
    e_lfanew: 0x82,
    linuxMagic: false,
    certificates: null,
    compatEntry: 0x41b0,
    optional: {
      SizeOfCode: 0x3d79e00,
      SizeOfInitializedData: 0x0,
      AddressOfEntryPoint: 0x6b79a9,
      BaseOfCode: 0x200,
      ImageBase: 0x1000000,
      SectionAlignment: 0x20,
      FileAlignment: 0x20,
      SizeOfImage: 0x3d7a000,
      SizeOfHeaders: 0x200,
      CheckSum: 0x0,
      DllCharacteristics: 0x0,
      MajorImageVersion: 1,
    },
    sections: [
      ['.setup', 0x200, 0x3bc0, 0x200, 0x3bc0, 0x60500020],
      ['.reloc', 0x3dc0, 0x20, 0x3dc0, 0x20, 0x42100040],
      ['.compat', 0x3de0, 0x20, 0x3de0, 0x20, 0x42100040],
      ['.text', 0x3e00, 0x3d76200, 0x3e00, 0x6baaa0, 0x60500020],
    ],
  },
  vmlinux: {
    entry: 0x0,
    kernel_total_size: 0x302c000,
    segmentsEnd: 0x3600000,
    relocations: 0xc6eb0,
    loads: [
      [0x200000, 0x1000000, 0x1573354],
      [0x1800000, 0x2600000, 0x611000],
      [0x2000000, 0x2c11000, 0x36000],
      [0x2047000, 0x2c47000, 0x19b9000],
    ],
  },
}

const B: KernelFacts = {
  name: 'debian-5.10.223-cloud',
  version: '5.10.0-32-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP Debian 5.10.223-1 (2024-08-10)',
  fileSize: 0xb93f00,
  hdr: {
    setup_sects: 0x1d,
    syssize: 0xb9030,
    kernel_version: 0x3720,
    heap_end_ptr: 0x5040,
    xloadflags: 0x3f,
    payload_offset: 0x45c,
    payload_length: 0xb7d599,
    init_size: 0x2d5e000,
    handover_offset: 0x190,
    kernel_info_offset: 0xb8f1dc,
  },
  compression: 'lz4',
  output_len: 0x2cb8b34,
  setup_type_max: 0x80000006,
  geometry: {
    _bss: 0xb91000,
    _ebss: 0xbb3880,
    pgtable: 0xbb4000,
    _end: 0xbd5000,
    boot_stack_end: 0xba5000,
    relocated: 0xb7da00,
  },
  pe: {
    e_lfanew: 0x82,
    linuxMagic: false,
    certificates: null,
    compatEntry: 0x3fb0,
    optional: {
      SizeOfCode: 0x2f5de00,
      SizeOfInitializedData: 0x0,
      AddressOfEntryPoint: 0xb8d079,
      BaseOfCode: 0x200,
      ImageBase: 0x1000000,
      SectionAlignment: 0x20,
      FileAlignment: 0x20,
      SizeOfImage: 0x2f5e000,
      SizeOfHeaders: 0x200,
      CheckSum: 0x0,
      DllCharacteristics: 0x0,
      MajorImageVersion: 1,
    },
    sections: [
      ['.setup', 0x200, 0x39c0, 0x200, 0x39c0, 0x60500020],
      ['.reloc', 0x3bc0, 0x20, 0x3bc0, 0x20, 0x42100040],
      ['.compat', 0x3be0, 0x20, 0x3be0, 0x20, 0x42100040],
      ['.text', 0x3c00, 0x2f5a400, 0x3c00, 0xb90300, 0x60500020],
    ],
  },
  vmlinux: {
    entry: 0x0,
    kernel_total_size: 0x222c000,
    segmentsEnd: 0x2800000,
    relocations: 0xb7f74,
    loads: [
      [0x200000, 0x1000000, 0x14d7a38],
      [0x1800000, 0x2600000, 0x5ee000],
      [0x1e00000, 0x2bee000, 0x36000],
      [0x2024000, 0x2c24000, 0xbdc000],
    ],
  },
}

const C: KernelFacts = {
  name: 'debian-6.1.170',
  version:
    '6.1.0-47-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)',
  fileSize: 0x7da200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0x7d520,
    kernel_version: 0x42c0,
    heap_end_ptr: 0x5be0,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0x7bbc5c,
    init_size: 0x3f98000,
    handover_offset: 0x7c58a0,
    kernel_info_offset: 0x7d23dc,
  },
  compression: 'xz',
  output_len: 0x3eda1d4,
  setup_type_max: 0x80000009,
  geometry: {
    _bss: 0x7d6000,
    _ebss: 0x7f88e0,
    pgtable: 0x7f9000,
    _end: 0x81a000,
    boot_stack_end: 0x7da000,
    relocated: 0x7bbf30,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: false,
    certificates: null,
    compatEntry: 0x7ca9b0,
    optional: {
      SizeOfCode: 0x7d4000,
      SizeOfInitializedData: 0x46000,
      AddressOfEntryPoint: 0x7d0247,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0x81f000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 1,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0x7d4000, 0x5000, 0x7d4000, 0x60000020],
      ['.data', 0x7d9000, 0x46000, 0x7d9000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0x0,
    kernel_total_size: 0x3430000,
    segmentsEnd: 0x3a00000,
    relocations: 0xd9664,
    loads: [
      [0x200000, 0x1000000, 0x18e629c],
      [0x1c00000, 0x2a00000, 0x642000],
      [0x2400000, 0x3042000, 0x35000],
      [0x2477000, 0x3077000, 0x1989000],
    ],
  },
}

const D: KernelFacts = {
  name: 'debian-6.1.170-cloud',
  version:
    '6.1.0-47-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian ' +
    '6.1.170-3 (2026-05-08)',
  fileSize: 0xd7d200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xd7820,
    kernel_version: 0x42c0,
    heap_end_ptr: 0x5be0,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xd5f67c,
    init_size: 0x3377000,
    handover_offset: 0xd68e30,
    kernel_info_offset: 0xd7591c,
  },
  compression: 'lz4',
  output_len: 0x32c683c,
  setup_type_max: 0x80000009,
  geometry: {
    _bss: 0xd79000,
    _ebss: 0xd9b8e0,
    pgtable: 0xd9c000,
    _end: 0xdbd000,
    boot_stack_end: 0xd7d000,
    relocated: 0xd5f950,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: false,
    certificates: null,
    compatEntry: 0xd6df40,
    optional: {
      SizeOfCode: 0xd77000,
      SizeOfInitializedData: 0x46000,
      AddressOfEntryPoint: 0xd737d7,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xdc2000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 1,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xd77000, 0x5000, 0xd77000, 0x60000020],
      ['.data', 0xd7c000, 0x46000, 0xd7c000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0x0,
    kernel_total_size: 0x2830000,
    segmentsEnd: 0x2e00000,
    relocations: 0xc5ccc,
    loads: [
      [0x200000, 0x1000000, 0x1821cf0],
      [0x1c00000, 0x2a00000, 0x618000],
      [0x2400000, 0x3018000, 0x34000],
      [0x244c000, 0x304c000, 0xdb4000],
    ],
  },
}

const E: KernelFacts = {
  name: 'debian-6.12.107',
  version:
    '6.12.107+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian ' +
    '6.12.107-1 (2026-08-29)',
  fileSize: 0xb94200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xb8f20,
    kernel_version: 0x4300,
    heap_end_ptr: 0x5c00,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xb575e2,
    init_size: 0x37ef000,
    handover_offset: 0xb7bbe0,
    kernel_info_offset: 0xb8bd1c,
  },
  compression: 'zstd',
  output_len: 0x36f96f8,
  setup_type_max: 0x80000009,
  geometry: {
    _bss: 0xb90000,
    _ebss: 0xbd3078,
    pgtable: 0xbd4000,
    _end: 0xbf5000,
    boot_stack_end: 0xb94000,
    relocated: 0xb578c0,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: true,
    certificates: null,
    compatEntry: 0xb80cf0,
    optional: {
      SizeOfCode: 0xb8e000,
      SizeOfInitializedData: 0x67000,
      AddressOfEntryPoint: 0xb86fa4,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xbfa000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 3,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xb8e000, 0x5000, 0xb8e000, 0x60000020],
      ['.data', 0xb93000, 0x67000, 0xb93000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0xc43,
    kernel_total_size: 0x2c30000,
    segmentsEnd: 0x3200000,
    relocations: 0xf8990,
    loads: [
      [0x200000, 0x1000000, 0x1b8c510],
      [0x1e00000, 0x2c00000, 0x71a000],
      [0x2600000, 0x331a000, 0x39000],
      [0x2753000, 0x3353000, 0xead000],
    ],
  },
}

const F: KernelFacts = {
  name: 'debian-6.12.107-cloud',
  version:
    '6.12.107+deb13-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC ' +
    'Debian 6.12.107-1 (2026-08-29)',
  fileSize: 0xb2a200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xb2520,
    kernel_version: 0x4300,
    heap_end_ptr: 0x5c20,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xaed515,
    init_size: 0x37dd000,
    handover_offset: 0xb11b20,
    kernel_info_offset: 0xb21c5c,
  },
  compression: 'zstd',
  output_len: 0x36e802c,
  setup_type_max: 0x80000009,
  geometry: {
    _bss: 0xb26000,
    _ebss: 0xb69078,
    pgtable: 0xb6a000,
    _end: 0xb8b000,
    boot_stack_end: 0xb2a000,
    relocated: 0xaed800,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: true,
    certificates: null,
    compatEntry: 0xb16c30,
    optional: {
      SizeOfCode: 0xb24000,
      SizeOfInitializedData: 0x67000,
      AddressOfEntryPoint: 0xb1cee4,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xb90000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 3,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xb24000, 0x5000, 0xb24000, 0x60000020],
      ['.data', 0xb29000, 0x67000, 0xb29000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0xc43,
    kernel_total_size: 0x2c30000,
    segmentsEnd: 0x3200000,
    relocations: 0xe72c4,
    loads: [
      [0x200000, 0x1000000, 0x1abf048],
      [0x1e00000, 0x2c00000, 0x6f4000],
      [0x2600000, 0x32f4000, 0x39000],
      [0x272d000, 0x332d000, 0xed3000],
    ],
  },
}

const G: KernelFacts = {
  name: 'debian-7.2.13',
  version:
    '7.2.13+deb14-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 7.2.13-1 (2026-10-28)',
  fileSize: 0xddf200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xdda20,
    kernel_version: 0x4300,
    heap_end_ptr: 0x5c00,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xd9eebc,
    init_size: 0x3c4e000,
    handover_offset: 0xdcdc90,
    kernel_info_offset: 0xdd71a0,
  },
  compression: 'zstd',
  output_len: 0x3b4b13c,
  setup_type_max: 0x8000000a,
  geometry: {
    _bss: 0xddb000,
    _ebss: 0xe25000,
    pgtable: 0xe25000,
    _end: 0xe46000,
    boot_stack_end: 0xddf000,
    relocated: 0xd9f1c0,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: true,
    certificates: null,
    compatEntry: 0xdd2e10,
    optional: {
      SizeOfCode: 0xdd9000,
      SizeOfInitializedData: 0x6d000,
      AddressOfEntryPoint: 0xdd16d4,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xe4b000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 3,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xdd9000, 0x5000, 0xdd9000, 0x60000020],
      ['.data', 0xdde000, 0x6d000, 0xdde000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0x29cee70,
    kernel_total_size: 0x3230000,
    segmentsEnd: 0x3800000,
    relocations: 0x14a34c,
    loads: [
      [0x200000, 0x1000000, 0x21626a0],
      [0x2400000, 0x3200000, 0x1600000],
    ],
  },
}

const H: KernelFacts = {
  name: 'debian-7.2.13-cloud',
  version:
    '7.2.13+deb14-cloud-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC ' +
    'Debian 7.2.13-1 (2026-10-28)',
  fileSize: 0xd607c0,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xd5b20,
    kernel_version: 0x4300,
    heap_end_ptr: 0x5c20,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xd1f3b9,
    init_size: 0x3c3b000,
    handover_offset: 0xd4e190,
    kernel_info_offset: 0xd576a0,
  },
  compression: 'zstd',
  output_len: 0x3b378c4,
  setup_type_max: 0x8000000a,
  geometry: {
    _bss: 0xd5c000,
    _ebss: 0xda6000,
    pgtable: 0xda6000,
    _end: 0xdc7000,
    boot_stack_end: 0xd60000,
    relocated: 0xd1f6c0,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: true,
    certificates: [0xd60200, 0x5c0],
    compatEntry: 0xd53310,
    optional: {
      SizeOfCode: 0xd5a000,
      SizeOfInitializedData: 0x6d000,
      AddressOfEntryPoint: 0xd51bd4,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xdcc000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0xd6f5b3,
      DllCharacteristics: 0x100,
      MajorImageVersion: 3,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xd5a000, 0x5000, 0xd5a000, 0x60000020],
      ['.data', 0xd5f000, 0x6d000, 0xd5f000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0x29a5f80,
    kernel_total_size: 0x3230000,
    segmentsEnd: 0x3800000,
    relocations: 0x136ad4,
    loads: [
      [0x200000, 0x1000000, 0x207363c],
      [0x2400000, 0x3200000, 0x1600000],
    ],
  },
}

const I: KernelFacts = {
  name: 'debian-7.3-rc7',
  version:
    '7.3-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC Debian 7.3~rc7-1~exp1 (2026-10-16)',
  fileSize: 0xe0a200,
  hdr: {
    setup_sects: 0x27,
    syssize: 0xe0520,
    kernel_version: 0x4300,
    heap_end_ptr: 0x5c00,
    xloadflags: 0x7f,
    payload_offset: 0x2cc,
    payload_length: 0xdc9ed8,
    init_size: 0x3c52000,
    handover_offset: 0xdf8c90,
    kernel_info_offset: 0xe02180,
  },
  compression: 'zstd',
  output_len: 0x3b4f9a8,
  setup_type_max: 0x8000000a,
  geometry: {
    _bss: 0xe06000,
    _ebss: 0xe50000,
    pgtable: 0xe50000,
    _end: 0xe71000,
    boot_stack_end: 0xe0a000,
    relocated: 0xdca1c0,
  },
  pe: {
    e_lfanew: 0x40,
    linuxMagic: true,
    certificates: null,
    compatEntry: 0xdfde10,
    optional: {
      SizeOfCode: 0xe04000,
      SizeOfInitializedData: 0x6d000,
      AddressOfEntryPoint: 0xdfc6d4,
      BaseOfCode: 0x5000,
      ImageBase: 0x0,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      SizeOfImage: 0xe76000,
      SizeOfHeaders: 0x1000,
      CheckSum: 0x0,
      DllCharacteristics: 0x100,
      MajorImageVersion: 3,
    },
    sections: [
      ['.setup', 0x1000, 0x3000, 0x1000, 0x3000, 0x42000040],
      ['.compat', 0x4000, 0x1000, 0x4000, 0x1000, 0x42000040],
      ['.text', 0x5000, 0xe04000, 0x5000, 0xe04000, 0x60000020],
      ['.data', 0xe09000, 0x6d000, 0xe09000, 0x1200, 0xc0000040],
    ],
  },
  vmlinux: {
    entry: 0x29def30,
    kernel_total_size: 0x3230000,
    segmentsEnd: 0x3800000,
    relocations: 0x14eaf0,
    loads: [
      [0x200000, 0x1000000, 0x21a99a0],
      [0x2400000, 0x3200000, 0x1600000],
    ],
  },
}

/**
 * Linux 5.7-rc1. Derived, not measured: B's numbers (5.10.223, same header layout, handover entry at 0x190,
 * window covered by the PE) under the
 * release of the kernel that this layout came with. What sets 5.7-rc1 apart (stub variables in .bss,
 * relocation only where needed) is behaviour and stands in no header.
 */
const E1: KernelFacts = {
  ...B,
  name: 'derived-5.7-rc1',
  version: '5.7.0-rc1 (derived from the layout of 5.10.223) #1 SMP',
}

/**
 * Linux 5.6. Derived, not measured: B's numbers with the headers of that release (fixed place, image base 0,
 * a section .bss) and with .bss and page tables as zeros in the file, which ends one step of 32 bytes after
 * `_end`.
 */
const E0: KernelFacts = {
  ...B,
  name: 'derived-5.6',
  version: '5.6.0 (derived from the numbers of 5.10.223) #1 SMP',
  fileSize: 0xbd8c20,
  hdr: { ...B.hdr, syssize: 0xbd502 },
  pe: {
    ...B.pe,
    optional: {
      ...B.pe.optional,
      SizeOfCode: 0xbd8a20,
      ImageBase: 0,
      SizeOfImage: 0x2d5e000,
      MajorImageVersion: 0,
    },
    sections: [
      ['.setup', 0x200, 0x39e0, 0x200, 0x39e0, 0x60500020],
      ['.reloc', 0x3be0, 0x20, 0x3be0, 0x20, 0x42100040],
      ['.text', 0x3c00, 0xbd5020, 0x3c00, 0xbd5020, 0x60500020],
      ['.bss', 0xbd8c20, 0x21853e0, 0, 0, 0xc8000080],
    ],
  },
}

/** By name. */
export const KERNEL_FACTS: Readonly<Record<string, KernelFacts>> = Object.fromEntries(
  [A, B, C, D, E, F, G, H, I, E0, E1].map(facts => [facts.name, facts]),
)
