/**
 * What changed in systemd-stub, when, and in which back-ports: one line for every change of upstream's
 * (spec/ST-systemd-stub.md). A back-port is one more release in `in`.
 */
import { TEXTS } from '../messages/texts.ts'
import { type Change, changesOf } from '../releases/change.ts'
import type { Seen } from '../releases/history.ts'
import type { StubBehaviour } from './behaviour.ts'

const NO_LINUX = TEXTS['stub/no-section-table']
const SECTIONS_229 = ['.cmdline', '.linux', '.initrd', '.splash']
const SECTIONS_252 = ['.linux', '.osrel', '.cmdline', '.initrd', '.splash', '.dtb', '.pcrsig', '.pcrpkey']
const SECTIONS_254 = [...SECTIONS_252, '.uname', '.sbat']
const SECTIONS_256 = [...SECTIONS_254, '.ucode']
const SECTIONS_257 = [...SECTIONS_256, '.profile', '.dtbauto', '.hwids']
const SECTIONS_258 = [...SECTIONS_257, '.efifw']

/** Release 229. */
export const STUB_229: StubBehaviour = {
  messages: { status: '%r' },
  loadOptions: { taken: 'any', profile: false },
  pool: { type: 'EfiLoaderData' },
  variables: { secureBoot: 'freed', randomSeed: false },
  sectionTable: {
    source: 'file',
    machines: 'x64 and ia32',
    maxSections: 96,
    headerAfterDos: false,
    sixDirectories: false,
    insideImage: false,
    message: NO_LINUX,
    messageEnd: ' ',
  },
  locate: { names: SECTIONS_229, match: 'prefix', warnsOfOverlap: false, insideImage: false },
  kernel: { way: 'own image' },
  addons: { sections: [] },
  commandLine: {
    encoding: '8 bits',
    underSecureBoot: 'never',
    asksConfidentialVm: false,
    spaces: 'none',
    trimmed: 'nowhere',
    readsPastBlanks: false,
    smbios: 'ignored',
    namesConsole: false,
  },
  strings: { buffers: 'none', order: [], kept: [] },
  initrd: {
    pieces: ['.initrd'],
    made: ['.initrd'],
    joined: 'never',
    list: 'stack',
    pages: 'below 4 GiB',
    withoutPieces: 'no initrd',
  },
  deviceTree: { sections: [], replacesOnly: false },
  entryMethod: { way: 'handover' },
  headerChecks: { length: false, messages: 'one' },
  placeKernel: { above4G: 'left', zeroTail: false },
  placeInitrd: { above4G: 'left' },
  bootParams: {
    pages: 4,
    limit: 0x3fffffff,
    above4G: false,
    copied: 'file',
    setupSects: 'as stated',
    secureBoot: false,
  },
  placeCommandLine: { above4G: false },
  passInitrd: { halves: 'low', loadFile2: false },
  entry: { from: 'code32_start' },
  ia32: null,
}

const change = changesOf<StubBehaviour>()

/** In the order in which upstream's main line got them. A stable tree may give a commit another name. */
export const STUB_CHANGES: readonly Change<StubBehaviour>[] = [
  change(
    '293b167349',
    'no longer takes LoadOptions that begin with NUL',
    { in: ['233'] },
    { loadOptions: { taken: 'text' } },
  ),
  change(
    'd4cbada2a9',
    'reads its section table from memory, not from its file',
    { in: ['234'] },
    { sectionTable: { source: 'memory', machines: 'any known' } },
  ),
  change(
    'b4f9f2a62f',
    'tells the kernel about Secure Boot',
    { in: ['236'], until: ['242'] },
    { bootParams: { secureBoot: true } },
  ),
  change(
    '46af0be929',
    'keeps the buffer for the value of SecureBoot',
    { in: ['239'] },
    { variables: { secureBoot: 'kept' } },
  ),
  change(
    '15720d0340',
    'takes LoadOptions only when their first character is printable',
    { in: ['240'] },
    { loadOptions: { taken: 'printable first' } },
  ),
  change(
    '6247c33614',
    'copies only the setup header to boot_params, below 4 GiB',
    { in: ['242'] },
    {
      bootParams: { limit: 0xffffffff, copied: 'known header', setupSects: '0 counts as 4' },
      ia32: 'it gives AllocatePages a variable of 4 bytes for an address of 8',
    },
  ),
  change(
    '53a2045521',
    'takes LoadOptions under Secure Boot when there is no .cmdline',
    { in: ['244'] },
    { commandLine: { underSecureBoot: 'without .cmdline' } },
  ),
  change(
    'ce0f078f4d',
    'frees the buffer for the value of SecureBoot',
    { in: ['248'] },
    { variables: { secureBoot: 'freed' } },
  ),
  change(
    '8aba0eec49',
    'prints no blank after the status',
    { in: ['248.10', '249.6', '250'] },
    { sectionTable: { messageEnd: '' } },
  ),
  change(
    '1328150d85',
    'accepts only a PE of its own machine with at least one section',
    { in: ['250'] },
    { sectionTable: { machines: 'own' } },
  ),
  change(
    '845707aae2',
    'joins .initrd with archives that it makes',
    { in: ['250'] },
    { initrd: { joined: 'as soon as something is added to .initrd' } },
  ),
  change(
    'a6089431d5',
    'also passes the initrd through LoadFile2',
    { in: ['250'] },
    { passInitrd: { loadFile2: true } },
  ),
  change(
    'dc46792831',
    'a separate linux_x86.c, in which an address has 8 bytes',
    { in: ['250'] },
    { ia32: null },
  ),
  change(
    '33bc9b756e',
    "replaces the firmware's device tree with .dtb",
    { in: ['250'] },
    { locate: { names: [...SECTIONS_229, '.dtb'] }, deviceTree: { sections: ['.dtb'], replacesOnly: true } },
  ),
  change(
    '2fffe2ed19',
    'requires .linux to be at least as long as a zero page',
    { in: ['250'] },
    { headerChecks: { length: true } },
  ),
  change(
    '65ff3d2626',
    'refuses an image without .linux',
    { in: ['250'] },
    { kernel: { way: 'required', message: NO_LINUX, status: true } },
  ),
  change(
    '9148312fab',
    'allocates pool as EfiBootServicesData, but prints into EfiLoaderData',
    { in: ['252'] },
    {
      pool: { type: 'EfiBootServicesData' },
      strings: { buffers: 'with room to print', order: ['LoaderFirmwareInfo', 'extra.d'] },
    },
  ),
  change(
    '03d5449f3a',
    'replaces unprintable characters in LoadOptions with spaces',
    { in: ['252'] },
    { commandLine: { spaces: 'all but printable ASCII' } },
  ),
  change(
    ['16700cb85a', 'df7ee6f8b0', '23002b45b1'],
    'packs .pcrsig and .pcrpkey into archives',
    { in: ['252'] },
    {
      locate: { names: SECTIONS_252 },
      initrd: {
        pieces: ['.initrd', '.pcrsig', '.pcrpkey'],
        made: ['.initrd', '.pcrsig', '.pcrpkey'],
      },
    },
  ),
  change(
    'fa2eebc7a3',
    'warns about overlapping sections',
    { in: ['252'], until: ['254'] },
    { locate: { warnsOfOverlap: true } },
  ),
  change(
    'e163680774',
    "computes the entry point from the kernel's full address",
    { in: ['252'] },
    { entry: { from: 'image' }, bootParams: { setupSects: '0 becomes 4' } },
  ),
  change(
    'd62c177756',
    'boot_params of one page, with as much of the setup header as it states',
    { in: ['252'] },
    { bootParams: { pages: 1, copied: 'stated header' } },
  ),
  change(
    '6944c61163',
    'uses addresses above 4 GiB where the kernel can, and refuses them where it cannot',
    { in: ['252'] },
    {
      placeKernel: { above4G: 'refused' },
      placeInitrd: { above4G: 'refused' },
      bootParams: { above4G: true },
      placeCommandLine: { above4G: true },
      passInitrd: { halves: 'both' },
    },
  ),
  change(
    '757d6c916d',
    'checks for a handover entry, with a message for each condition',
    { in: ['252'] },
    { headerChecks: { messages: 'each' } },
  ),
  change(
    'ba2a105c2b',
    'passes the initrd of a handover in boot_params only',
    { in: ['252'] },
    { passInitrd: { loadFile2: false } },
  ),
  change(
    'a529d8182e',
    'LoadImage and StartImage for kernels that fetch their initrd',
    { in: ['252'] },
    { entryMethod: { way: 'LoadImage' } },
  ),
  change(
    ['927ebebe58', '7ca40a8b08'],
    'UTF-16 command line throughout, ASCII for a handover',
    { in: ['252.3', '253'] },
    { commandLine: { encoding: 'UTF-16', spaces: 'controls' } },
  ),
  change(
    '0a1d8ac77a',
    'looks for a random seed on the ESP',
    { in: ['253'] },
    { variables: { randomSeed: true } },
  ),
  change(
    '486cf22c35',
    'trims spaces from the end of the command line',
    { in: ['252.6', '253'] },
    { commandLine: { trimmed: 'end' } },
  ),
  change('c2c6203556', 'prints a status in its own words', { in: ['253'] }, { messages: { status: '%m' } }),
  change(
    '2f3c3b0bee',
    'prints strings into buffers of their exact size',
    { in: ['253'] },
    { strings: { buffers: 'sized' } },
  ),
  change(
    'a409607489',
    'reads variables into buffers of their exact size',
    { in: ['254'] },
    { variables: { secureBoot: 'sized' } },
  ),
  change(
    '717af0de46',
    'appends an SMBIOS string to the command line',
    { in: ['254'] },
    { commandLine: { smbios: 'appended' } },
  ),
  change(
    '669f16acf7',
    'copies kernel and initrd of a handover below 4 GiB where the kernel cannot reach them',
    { in: ['254'] },
    { placeKernel: { above4G: 'copied' }, placeInitrd: { above4G: 'copied' } },
  ),
  change(
    'ec232e4abd',
    'allocates pool as EfiLoaderData',
    { in: ['252.11', '253.5', '254'] },
    { pool: { type: 'EfiLoaderData' } },
  ),
  change(
    '05c9f9c251',
    'takes command lines from add-ons, and keeps the path of their folder allocated',
    { in: ['254'] },
    {
      addons: { sections: ['.cmdline'] },
      strings: { order: ['extra.d', 'LoaderFirmwareInfo'], kept: ['extra.d'] },
    },
  ),
  change(
    ['b6f2e68602', 'd5f91cf793'],
    'looks for .uname and .sbat',
    { in: ['254'] },
    { locate: { names: SECTIONS_254 } },
  ),
  change(
    'fab0eeb72b',
    'ignores LoadOptions in a confidential VM under Secure Boot',
    { in: ['254.2', '255'] },
    { commandLine: { asksConfidentialVm: true } },
  ),
  change(
    '90dab2b01e',
    'trims blanks from both ends of the command line, and reads past the end of a blank one',
    { in: ['255'] },
    { commandLine: { spaces: 'controls and DEL', trimmed: 'both ends', readsPastBlanks: true } },
  ),
  change(
    '68f85761e2',
    'takes device trees from add-ons',
    { in: ['255'] },
    { addons: { sections: ['.cmdline', '.dtb'] } },
  ),
  change(
    '0f781d2aa5',
    'installs .dtb even where the firmware has no device tree',
    { in: ['255'] },
    { deviceTree: { replacesOnly: false } },
  ),
  change(
    'aea81bc0ff',
    'joins .ucode before .initrd',
    { in: ['256'] },
    {
      locate: { names: SECTIONS_256 },
      initrd: {
        pieces: ['.ucode', '.initrd', '.pcrsig', '.pcrpkey'],
        made: ['.ucode', '.initrd', '.pcrsig', '.pcrpkey'],
      },
    },
  ),
  change(
    ['19812661f1', '7ba47e37a2', '7941c60205', '84111f8916'],
    'copies a kernel that is larger in memory than .linux, and zeroes its tail',
    { in: ['254.17', '255.11', '256.5', '257'], until: ['258'] },
    { placeKernel: { zeroTail: true } },
  ),
  change(
    'bacc2ed0d5',
    'requires its PE header to lie after the DOS header',
    { in: ['257'] },
    { sectionTable: { headerAfterDos: true } },
  ),
  change(
    '9e63e28aa6',
    'takes the first section with exactly the name',
    { in: ['257'] },
    { locate: { match: 'name' } },
  ),
  change('1489e66f7c', 'frees the path of the add-on folder', { in: ['257'] }, { strings: { kept: [] } }),
  change(
    'ac32323271',
    'lists the pieces of the initrd, and joins two or more; without any it reads through a null pointer',
    { in: ['257'] },
    { initrd: { joined: 'two or more', list: 'pool', withoutPieces: 'null pointer' } },
  ),
  change(
    '9597320f5c',
    'says that the image lacks .linux',
    { in: ['257'] },
    { kernel: { message: TEXTS['stub/no-linux'], status: false } },
  ),
  change(
    ['fc02ea668f', 'd30b89c7fc'],
    'trims the SMBIOS string, and treats a blank line as empty',
    { in: ['257'] },
    { commandLine: { smbios: 'appended trimmed', readsPastBlanks: false } },
  ),
  change(
    ['f4e081051d', 'a632d8dd9f'],
    'profiles; .profile and .osrel become pieces of the initrd',
    { in: ['257'] },
    {
      loadOptions: { profile: true },
      sectionTable: { message: TEXTS['stub/no-pe-table'] },
      initrd: {
        pieces: ['.ucode', '.initrd', '.pcrsig', '.pcrpkey', '.osrel', '.profile'],
        made: ['.pcrsig', '.pcrpkey', '.profile', '.osrel', '.initrd', '.ucode'],
      },
    },
  ),
  change(
    ['fc31d929c7', '2ea0487c1b'],
    'takes .ucode and .initrd from add-ons',
    { in: ['257'] },
    { addons: { sections: ['.cmdline', '.dtb', '.initrd', '.ucode'] } },
  ),
  change(
    ['c033267912', '1d79f667f4'],
    'chooses a device tree among the .dtbauto sections',
    { in: ['257'] },
    {
      locate: { names: SECTIONS_257 },
      addons: { sections: ['.cmdline', '.dtb', '.dtbauto', '.initrd', '.ucode'] },
      deviceTree: { sections: ['.dtb', '.dtbauto'] },
    },
  ),
  change(
    '8c5b359579',
    'any number of sections',
    { in: ['252.36', '253.31', '254.24', '255.18', '256.12', '257.3', '258'] },
    { sectionTable: { maxSections: null } },
  ),
  change('83bf58f39d', 'looks for .efifw', { in: ['258'] }, { locate: { names: SECTIONS_258 } }),
  change(
    'c5a5046792',
    'joins the initrd above 4 GiB when there is no room below',
    { in: ['257.5', '258'] },
    { initrd: { pages: 'below 4 GiB first' } },
  ),
  change(
    ['cab9c7b5a4', '40aabfae72', '23d56ae890', '428cd7bfba', '70b7e03ebb'],
    "a loader of its own, which subtracts the kernel's ImageBase, except under Secure Boot with shim",
    { in: ['258'] },
    {
      entryMethod: {
        way: 'own loader',
        header: { insideFile: false, headerAfterDos: true, sixDirectories: false, entryInside: false },
        aligned: false,
        origin: 'ImageBase',
        checksRawData: false,
        checksVirtualSize: false,
        checksTable: false,
      },
    },
  ),
  change(
    '226e050a0d',
    'takes only LoadOptions without control characters',
    { in: ['259'] },
    { loadOptions: { taken: 'printable' } },
  ),
  change(
    '3f4279829e',
    'boots without any piece of an initrd',
    { in: ['257.11', '258.4', '259.1', '260'] },
    { initrd: { withoutPieces: 'no initrd' } },
  ),
  change(
    'd9d300dc4c',
    "places sections regardless of the kernel's ImageBase",
    { in: ['259.2', '260'] },
    { entryMethod: { origin: 'pages' } },
  ),
  change(
    '1cd2ff3cca',
    'checks the raw data of sections',
    { in: ['259.2', '260'] },
    { entryMethod: { checksRawData: true } },
  ),
  change(
    'a770fb3e14',
    'copies no more of the setup header than it knows',
    { in: ['258.8', '259.6', '260.2', '261'] },
    { bootParams: { copied: 'stated header, as far as known' } },
  ),
  change(
    '45e4df9a33',
    "may name the firmware's console on the command line",
    { in: ['261'] },
    { commandLine: { namesConsole: true } },
  ),
  change(
    'e641f37499',
    'aligns the kernel to its SectionAlignment',
    { in: ['259.7', '260.3', '261.1', '262'] },
    { entryMethod: { aligned: true } },
  ),
  change(
    '918e8f9dd9',
    'requires six data directories in a PE header',
    { in: ['258.10', '259.8', '260.4', '261.2', '262'] },
    { sectionTable: { sixDirectories: true }, entryMethod: { header: { sixDirectories: true } } },
  ),
  change(
    'feeba8fa3b',
    'checks the virtual size of sections',
    { in: ['258.10', '259.8', '260.4', '261.2', '262'] },
    { entryMethod: { checksVirtualSize: true } },
  ),
  change(
    'ecf3f5056a',
    "requires the kernel's entry point to lie inside its image",
    { in: ['258.10', '259.8', '260.4', '261.2', '262'] },
    { entryMethod: { header: { entryInside: true } } },
  ),
  change(
    'dc55e4a5a0',
    'requires headers, section tables and sections to lie inside the image or .linux',
    { in: ['259.8', '260.4', '261.2', '262'] },
    {
      sectionTable: { insideImage: true },
      locate: { insideImage: true },
      entryMethod: { header: { insideFile: true }, checksTable: true },
    },
  ),
]

/** Releases whose source was read, and those that were booted. */
export const STUB_SEEN: Readonly<Record<string, Seen>> = {
  '229': 'read',
  '234': 'read',
  '239': 'read',
  '241': 'read',
  '242': 'read',
  '245': 'read',
  '247.3': 'booted',
  '248': 'read',
  '248.10': 'read',
  '249': 'read',
  '249.6': 'read',
  '250': 'read',
  '251': 'read',
  '252': 'read',
  '252.3': 'read',
  '252.6': 'read',
  '252.11': 'read',
  '252.31': 'read',
  '252.39': 'booted',
  '253': 'read',
  '253.5': 'read',
  '253.26': 'read',
  '254': 'read',
  '254.2': 'read',
  '254.17': 'read',
  '254.26': 'booted',
  '255': 'read',
  '255.11': 'read',
  '255.18': 'read',
  '256': 'read',
  '257': 'read',
  '257.11': 'read',
  '257.13': 'booted',
  '258': 'read',
  '258.10': 'read',
  '259': 'read',
  '259.2': 'read',
  '261': 'read',
  '261.2': 'read',
  '262.1': 'booted',
}
