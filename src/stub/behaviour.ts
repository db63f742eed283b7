/**
 * How a release of systemd-stub behaves: plain data, a record for every slot (spec/ST-systemd-stub.md). Each
 * slot is one file of steps/, which reads its record; changes.ts says which release has which data.
 */

/** Sections that become pieces of the initrd. */
export type PieceName = '.ucode' | '.initrd' | '.pcrsig' | '.pcrpkey' | '.osrel' | '.profile'
/** Sections that may be taken out of an add-on. */
export type AddonSection = '.cmdline' | '.dtb' | '.dtbauto' | '.initrd' | '.ucode'
/** Strings that the stub makes beside the command line. */
export type StringName = 'LoaderFirmwareInfo' | 'extra.d'

/** The section table of the image itself. */
export interface SectionTableBehaviour {
  /** Where it is read: in memory after the headers, or in the file that was started. */
  readonly source: 'file' | 'memory'
  /** Machines of a PE that it takes: x64 and ia32, every one that has a stub, or its own. */
  readonly machines: 'x64 and ia32' | 'any known' | 'own'
  readonly maxSections: number | null
  /** e_lfanew must not point into the DOS header. */
  readonly headerAfterDos: boolean
  /** The optional header must reach to the directory of base relocations. */
  readonly sixDirectories: boolean
  /** Headers and section table must end inside the image. */
  readonly insideImage: boolean
  /** What is printed before the status. */
  readonly message: string
  /** What is printed after it. */
  readonly messageEnd: '' | ' '
}

/** Which section header counts for a name. */
export interface LocateBehaviour {
  /** Names that are looked for, in the order in which they are measured. */
  readonly names: readonly string[]
  /** A prefix, of which the last header counts; or the whole name, of which the first one counts. */
  readonly match: 'prefix' | 'name'
  /** Warns about a section that begins below the end of the one before it in the table. */
  readonly warnsOfOverlap: boolean
  /** Skips a section that ends past SizeOfImage. */
  readonly insideImage: boolean
}

/** The command line. */
export interface CommandLineBehaviour {
  /** Its characters: the bytes unchanged, or UTF-16 in pool. */
  readonly encoding: '8 bits' | 'UTF-16'
  /** When LoadOptions count under Secure Boot: never, or in an image without .cmdline. */
  readonly underSecureBoot: 'never' | 'without .cmdline'
  /** Ignored in a confidential VM under Secure Boot. */
  readonly asksConfidentialVm: boolean
  /** Characters replaced with spaces. */
  readonly spaces: 'none' | 'all but printable ASCII' | 'controls' | 'controls and DEL'
  /** Where spaces are trimmed. */
  readonly trimmed: 'nowhere' | 'end' | 'both ends'
  /** A line of blanks only is read past its end. */
  readonly readsPastBlanks: boolean
  /** How the SMBIOS string is used. */
  readonly smbios: 'ignored' | 'appended' | 'appended trimmed'
  /** A line without console= may get one. */
  readonly namesConsole: boolean
}

/** The initrd that is made of the image's own sections. */
export interface InitrdBehaviour {
  /** In the order in which they are joined. */
  readonly pieces: readonly PieceName[]
  /** The same in the order in which they are made. */
  readonly made: readonly PieceName[]
  readonly joined: 'never' | 'as soon as something is added to .initrd' | 'two or more'
  /** Where the list of pieces is kept. */
  readonly list: 'stack' | 'pool'
  /** Pages for the joined initrd: below 4 GiB or not at all, or anywhere when there is no room below. */
  readonly pages: 'below 4 GiB' | 'below 4 GiB first'
  /** Without any piece there is no initrd, or the stub reads through a null pointer. */
  readonly withoutPieces: 'no initrd' | 'null pointer'
}

/** Checks of the kernel's PE header beyond those of every release. */
export interface KernelHeaderBehaviour {
  /** It ends inside .linux. */
  readonly insideFile: boolean
  readonly headerAfterDos: boolean
  readonly sixDirectories: boolean
  /** The entry point lies inside the image. */
  readonly entryInside: boolean
}

/** The stub's own loader of the kernel. */
export interface OwnLoaderBehaviour {
  readonly way: 'own loader'
  readonly header: KernelHeaderBehaviour
  /** The pages begin at a multiple of SectionAlignment. */
  readonly aligned: boolean
  /** Section addresses are relative to the kernel's ImageBase, or to the pages. */
  readonly origin: 'ImageBase' | 'pages'
  /** Raw data must lie in the file and in its section. */
  readonly checksRawData: boolean
  /** The virtual size must lie inside SizeOfImage. */
  readonly checksVirtualSize: boolean
  /** The section table must end inside .linux. */
  readonly checksTable: boolean
}

/**
 * How the kernel is entered: the handover protocol for every kernel, or only for those that fetch no initrd.
 */
export type EntryMethodBehaviour =
  { readonly way: 'handover' } | { readonly way: 'LoadImage' } | OwnLoaderBehaviour

/** boot_params of a handover. */
export interface BootParamsBehaviour {
  readonly pages: 1 | 4
  /** Highest address. */
  readonly limit: number
  /** The limit does not apply to a kernel that can run above 4 GiB. */
  readonly above4G: boolean
  /**
   * What is copied: the kernel file up to handover_offset; the setup header up to there; as much of it as it
   * states; the smaller of the last two.
   */
  readonly copied: 'file' | 'known header' | 'stated header' | 'stated header, as far as known'
  /** How setup_sects 0 is taken: as 0; as 4 in address computations; as 4 in boot_params, too. */
  readonly setupSects: 'as stated' | '0 counts as 4' | '0 becomes 4'
  /** The byte secure_boot is set under Secure Boot. */
  readonly secureBoot: boolean
}

/** How something above 4 GiB that the kernel cannot reach is handled. */
export type Above4G = 'left' | 'refused' | 'copied'

/** How a release behaves, slot by slot. */
export interface StubBehaviour {
  /** How a status is printed: as gnu-efi's %r (`Load Error`), or as the stub's own %m (`Load error`). */
  readonly messages: { readonly status: '%r' | '%m' }
  /**
   * LoadOptions that are accepted: any; none that begin with NUL or a control character; none that contain a
   * control character. And whether a profile specifier may come first.
   */
  readonly loadOptions: {
    readonly taken: 'any' | 'text' | 'printable first' | 'printable'
    readonly profile: boolean
  }
  /** The memory type of its pool. */
  readonly pool: { readonly type: 'EfiLoaderData' | 'EfiBootServicesData' }
  readonly variables: {
    /** The buffer for the value of SecureBoot: 8 KiB kept or freed, or of its size and freed. */
    readonly secureBoot: 'kept' | 'freed' | 'sized'
    /** A random seed on the ESP is looked for. */
    readonly randomSeed: boolean
  }
  readonly sectionTable: SectionTableBehaviour
  readonly locate: LocateBehaviour
  /** What happens without .linux. `status`: the message ends with the status. */
  readonly kernel:
    | { readonly way: 'own image' }
    | { readonly way: 'required'; readonly message: string; readonly status: boolean }
  /** Sections taken from add-ons; empty: add-ons are not looked for. */
  readonly addons: { readonly sections: readonly AddonSection[] }
  readonly commandLine: CommandLineBehaviour
  readonly strings: {
    /** Their buffers: none that affect allocation, with room for printing, or of their exact size. */
    readonly buffers: 'none' | 'with room to print' | 'sized'
    readonly order: readonly StringName[]
    /** Buffers that are never freed. */
    readonly kept: readonly StringName[]
  }
  readonly initrd: InitrdBehaviour
  readonly deviceTree: {
    readonly sections: readonly ('.dtb' | '.dtbauto')[]
    /** Only replaces a device tree of the firmware. */
    readonly replacesOnly: boolean
  }
  readonly entryMethod: EntryMethodBehaviour
  readonly headerChecks: {
    /** .linux must be as long as a zero page. */
    readonly length: boolean
    /** One message for all conditions; or one for each condition, a handover entry included. */
    readonly messages: 'one' | 'each'
  }
  readonly placeKernel: {
    readonly above4G: Above4G
    /** A kernel that is larger in memory than .linux is copied, too, and its tail zeroed. */
    readonly zeroTail: boolean
  }
  readonly placeInitrd: { readonly above4G: Above4G }
  readonly bootParams: BootParamsBehaviour
  /** May the command line be above 640 KiB if the kernel can run above 4 GiB? */
  readonly placeCommandLine: { readonly above4G: boolean }
  readonly passInitrd: {
    /** Halves of address and size that are passed in boot_params. */
    readonly halves: 'low' | 'both'
    /** Also registered for LoadFile2. */
    readonly loadFile2: boolean
  }
  /**
   * What the entry address is relative to: the 32 bits of code32_start, or the whole address of the kernel.
   */
  readonly entry: { readonly from: 'code32_start' | 'image' }
  /** Known fault of an ia32 build; ia32 is not modelled. */
  readonly ia32: string | null
}
