/**
 * Header facts of five systemd stubs as Debian ships them for x86-64, measured on the binaries. Their code is
 * not here.
 */

/** Name, VirtualAddress, VirtualSize, PointerToRawData, SizeOfRawData, Characteristics. */
export type SectionFacts = readonly [
  name: string,
  VirtualAddress: number,
  VirtualSize: number,
  PointerToRawData: number,
  SizeOfRawData: number,
  Characteristics: number,
]

/** What the headers of a stub say. Plain data. */
export interface StubFacts {
  /** Upstream version, such as `247.3`. */
  readonly version: string
  /** The whole identification text and the section that holds it, with the offset in that section. */
  readonly identification: string
  readonly identificationAt: readonly [section: string, offset: number]
  readonly fileSize: number
  readonly e_lfanew: number
  readonly Characteristics: number
  readonly optional: {
    readonly SizeOfCode: number
    readonly SizeOfInitializedData: number
    readonly AddressOfEntryPoint: number
    readonly BaseOfCode: number
    readonly ImageBase: number
    readonly SectionAlignment: number
    readonly FileAlignment: number
    readonly MajorImageVersion: number
    readonly MinorImageVersion: number
    readonly SizeOfImage: number
    readonly SizeOfHeaders: number
    readonly DllCharacteristics: number
  }
  /** COFF symbols at the end of the file: offset and count. */
  readonly symbolTable: readonly [at: number, count: number] | null
  /** The one block of .reloc: its page and its entries (type in the upper four bits). */
  readonly relocations: { readonly page: number; readonly entries: readonly number[] }
  /** In table order. */
  readonly sections: readonly SectionFacts[]
}

const ABSOLUTE = 0
const DIR64 = 0xa000

/** DIR64 entries for every pointer from `first` to `last`, both included. */
function pointers(first: number, last: number, step = 8): number[] {
  return Array.from({ length: (last - first) / step + 1 }, (_, i) => DIR64 + first + step * i)
}

const STUB_247: StubFacts = {
  version: '247.3',
  identification: '#### LoaderInfo: systemd-stub 247.3-7+deb11u8 ####',
  identificationAt: ['.data', 0x480],
  fileSize: 0xdf5f,
  e_lfanew: 0x80,
  Characteristics: 0x206,
  optional: {
    SizeOfCode: 0x7c00,
    SizeOfInitializedData: 0x3a00,
    AddressOfEntryPoint: 0x4000,
    BaseOfCode: 0x4000,
    ImageBase: 0,
    SectionAlignment: 0x1000,
    FileAlignment: 0x200,
    MajorImageVersion: 0,
    MinorImageVersion: 0,
    SizeOfImage: 0x13000,
    SizeOfHeaders: 0x400,
    DllCharacteristics: 0,
  },
  symbolTable: [0xba00, 0x12d],
  relocations: { page: 0x24e2, entries: [ABSOLUTE] },
  sections: [
    ['.text', 0x4000, 0x7aa0, 0x400, 0x7c00, 0x60500020],
    ['.reloc', 0xc000, 0xa, 0x8000, 0x200, 0x42100040],
    ['.data', 0xd000, 0x2168, 0x8200, 0x2200, 0xc0600040],
    ['.dynamic', 0x10000, 0x110, 0xa400, 0x200, 0xc0400040],
    ['.rela', 0x11000, 0xe58, 0xa600, 0x1000, 0x40400040],
    ['.dynsym', 0x12000, 0x378, 0xb600, 0x400, 0x40400040],
  ],
}

const STUB_252: StubFacts = {
  version: '252.39',
  identification: '#### LoaderInfo: systemd-stub 252.39-1~deb12u2 ####',
  identificationAt: ['.sdmagic', 0],
  fileSize: 0x14561,
  e_lfanew: 0x80,
  Characteristics: 0x206,
  optional: {
    SizeOfCode: 0xc000,
    SizeOfInitializedData: 0x5000,
    AddressOfEntryPoint: 0x4000,
    BaseOfCode: 0x4000,
    ImageBase: 0,
    SectionAlignment: 0x200,
    FileAlignment: 0x200,
    MajorImageVersion: 0,
    MinorImageVersion: 0,
    SizeOfImage: 0x19300,
    SizeOfHeaders: 0x400,
    DllCharacteristics: 0,
  },
  symbolTable: [0x11400, 0x16a],
  relocations: { page: 0x374a, entries: [ABSOLUTE, ABSOLUTE] },
  sections: [
    ['.text', 0x4000, 0xbff0, 0x400, 0xc000, 0x60000020],
    ['.reloc', 0x10000, 0xc, 0xc400, 0x200, 0x42000040],
    ['.data', 0x11000, 0x34b8, 0xc600, 0x3600, 0xc0000040],
    ['.dynamic', 0x15000, 0x100, 0xfc00, 0x200, 0xc0000040],
    ['.rela', 0x16000, 0xf30, 0xfe00, 0x1000, 0x40000040],
    ['.dynsym', 0x17000, 0x18, 0x10e00, 0x200, 0x40000040],
    ['.sbat', 0x19000, 0xe2, 0x11000, 0x200, 0x40000040],
    ['.sdmagic', 0x19100, 0x34, 0x11200, 0x200, 0x40000040],
  ],
}

const STUB_254: StubFacts = {
  version: '254.26',
  identification: '#### LoaderInfo: systemd-stub 254.26-1~bpo12+1 ####',
  identificationAt: ['.sdmagic', 0],
  fileSize: 0xe800,
  e_lfanew: 0x40,
  Characteristics: 0x22e,
  optional: {
    SizeOfCode: 0xb6fe,
    SizeOfInitializedData: 0x2552,
    AddressOfEntryPoint: 0xc5f0,
    BaseOfCode: 0x1000,
    ImageBase: 0x14df90000,
    SectionAlignment: 0x1000,
    FileAlignment: 0x200,
    MajorImageVersion: 254,
    MinorImageVersion: 0,
    SizeOfImage: 0x14000,
    SizeOfHeaders: 0x400,
    DllCharacteristics: 0x160,
  },
  symbolTable: null,
  relocations: { page: 0x10000, entries: [ABSOLUTE, ...pointers(0x020, 0x1c8), ...pointers(0x1e0, 0x1e0)] },
  sections: [
    ['.text', 0x1000, 0xb6fe, 0x400, 0xb800, 0x60000020],
    ['.rodata', 0xd000, 0x215c, 0xbc00, 0x2200, 0x40000040],
    ['.data', 0x10000, 0x268, 0xde00, 0x400, 0xc0000040],
    ['.sdmagic', 0x11000, 0x34, 0xe200, 0x200, 0x40000040],
    ['.sbat', 0x12000, 0xe2, 0xe400, 0x200, 0x40000040],
    ['.reloc', 0x13000, 0x78, 0xe600, 0x200, 0x42000040],
  ],
}

const STUB_257: StubFacts = {
  version: '257.13',
  identification: '#### LoaderInfo: systemd-stub 257.13-1~deb13u1 ####',
  identificationAt: ['.sdmagic', 0],
  fileSize: 0x16800,
  e_lfanew: 0x40,
  Characteristics: 0x22e,
  optional: {
    SizeOfCode: 0x1080e,
    SizeOfInitializedData: 0x5164,
    AddressOfEntryPoint: 0xea60,
    BaseOfCode: 0x1000,
    ImageBase: 0x14df90000,
    SectionAlignment: 0x1000,
    FileAlignment: 0x200,
    MajorImageVersion: 257,
    MinorImageVersion: 13,
    SizeOfImage: 0x1b000,
    SizeOfHeaders: 0x600,
    DllCharacteristics: 0x160,
  },
  symbolTable: null,
  relocations: {
    page: 0x16000,
    entries: [
      ABSOLUTE,
      ...pointers(0xca0, 0xdf8),
      ...pointers(0xe10, 0xe40, 0x18),
      ...pointers(0xe58, 0xec8),
      ...pointers(0xee0, 0xee0),
    ],
  },
  sections: [
    ['.text', 0x1000, 0x1080e, 0x600, 0x10a00, 0x60000020],
    ['.rodata', 0x12000, 0x4ef0, 0x11000, 0x5000, 0x40000040],
    ['.data', 0x17000, 0xc0, 0x16000, 0x200, 0xc0000040],
    ['.sbat', 0x18000, 0xf9, 0x16200, 0x200, 0x40000040],
    ['.sdmagic', 0x19000, 0x33, 0x16400, 0x200, 0x40000040],
    ['.reloc', 0x1a000, 0x88, 0x16600, 0x200, 0x42000040],
  ],
}

const STUB_262: StubFacts = {
  version: '262.1',
  identification: '#### LoaderInfo: systemd-stub 262.1-1 ####',
  identificationAt: ['.sdmagic', 0],
  fileSize: 0x24e00,
  e_lfanew: 0x40,
  Characteristics: 0x22e,
  optional: {
    SizeOfCode: 0x1832e,
    SizeOfInitializedData: 0x7596,
    AddressOfEntryPoint: 0x133e0,
    BaseOfCode: 0x5000,
    ImageBase: 0x14df90000,
    SectionAlignment: 0x1000,
    FileAlignment: 0x200,
    MajorImageVersion: 262,
    MinorImageVersion: 1,
    SizeOfImage: 0x29000,
    SizeOfHeaders: 0x5000,
    DllCharacteristics: 0x160,
  },
  symbolTable: null,
  relocations: {
    page: 0x24000,
    entries: [
      ABSOLUTE,
      ...pointers(0xb00, 0xb60),
      ...pointers(0xb80, 0xc00, 0x20),
      ...pointers(0xc30, 0xc78, 0x18),
      ...pointers(0xc80, 0xca0, 0x20),
      ...pointers(0xcc0, 0xd30),
      ...pointers(0xd40, 0xd60, 0x20),
      ...pointers(0xd80, 0xed8),
    ],
  },
  sections: [
    ['.text', 0x5000, 0x1832e, 0x5000, 0x18400, 0x60000020],
    ['.rodata', 0x1e000, 0x7000, 0x1d400, 0x7000, 0x40000040],
    ['.data', 0x25000, 0xb8, 0x24400, 0x200, 0xc0000040],
    ['.sbat', 0x26000, 0x400, 0x24600, 0x400, 0x40000040],
    ['.sdmagic', 0x27000, 0x2a, 0x24a00, 0x200, 0x40000040],
    ['.reloc', 0x28000, 0xb4, 0x24c00, 0x200, 0x42000040],
  ],
}

/** By upstream version. */
export const STUB_FACTS = {
  '247.3': STUB_247,
  '252.39': STUB_252,
  '254.26': STUB_254,
  '257.13': STUB_257,
  '262.1': STUB_262,
} as const satisfies Readonly<Record<string, StubFacts>>
export type StubName = keyof typeof STUB_FACTS
