/**
 * The eras of systemd-stub up to S4: in place through the handover protocol, then LoadImage
 * (spec/ST-systemd-stub.md). eras-middle.ts has S5, eras.ts the rest.
 */
import type { StubEra } from './model.ts'
import { NAMES_229, NAMES_250, NAMES_252, NO_LINUX } from './names.ts'
import { ignoresAddons } from './steps/addons.ts'
import {
  asLongAsItSays,
  bothHalves,
  convertedToAscii,
  copiedAnywhere,
  copiedLow,
  fourPages,
  fourPagesLow,
  fromCode32Start,
  fromImage,
  lowHalves,
  lowHalvesAndLoadFile2,
  onePage,
} from './steps/boot-params.ts'
import { asItIs, eightBitLine, spaced, utf16Line } from './steps/command-line.ts'
import { cutAtTheEnd, spacesOnly } from './steps/line-text.ts'
import { ignoresDeviceTree, needsFirmwareTree } from './steps/device-tree.ts'
import { alwaysHandover, imageOrHandover } from './steps/door.ts'
import { eachCondition, fourConditions, longEnoughAndFour } from './steps/header-checks.ts'
import {
  archivePiece,
  initrdInImage,
  joined,
  keepsNoList,
  noInitrd,
  pagesBelow4G,
  sectionPiece,
  whenSomethingIsAdded,
} from './steps/initrd.ts'
import { loadTitles, loadWords, startLoaded, startWidened } from './steps/load-image.ts'
import { anyOptions, printableOptions, textOptions } from './steps/load-options.ts'
import { kernelOrOwnImage, kernelOrRefusal, lastWithPrefix, lastWithPrefixWarned } from './steps/locate.ts'
import { statusText, statusTitle } from './steps/patch.ts'
import { initrdInReachOrRefused, initrdStays, inPlace, inPlaceOrRefused } from './steps/place-kernel.ts'
import { bootServicesPool, loaderPool } from './steps/pool.ts'
import { freesLargeStrings, freesStrings, keepsNoString } from './steps/strings.ts'
import { atMost96Sections, tableOfAnyMachine, tableOfOwnMachine, tableOnDisk } from './steps/section-table.ts'
import { freesVariableBuffer, freesVariableBufferAfterSeed, keepsVariableBuffer } from './steps/variables.ts'

export const pcrsig = archivePiece('.pcrsig', 'tpm2-pcr-signature.json')
export const pcrpkey = archivePiece('.pcrpkey', 'tpm2-pcr-public-key.pem')
export const initrd = sectionPiece('.initrd')
export const ucode = sectionPiece('.ucode')

const S2: StubEra = {
  id: 'systemd-stub/S2',
  title: 'EFI handover in place; the setup header alone goes to boot_params',
  spans: [{ from: '244', to: '248' }],
  commits: ['6247c33614', '53a2045521'],
  seen: ['245', '247.3'],
  ia32: 'it gives AllocatePages a variable of 4 bytes for an address of 8',
  pool: loaderPool,
  variables: keepsVariableBuffer,
  sectionTable: tableOfAnyMachine(' '),
  locate: lastWithPrefix(NAMES_229),
  kernel: kernelOrOwnImage,
  addons: ignoresAddons,
  commandLine: eightBitLine('ST-15', {
    options: printableOptions,
    underSecureBoot: 'options without section',
    write: asItIs,
  }),
  strings: keepsNoString,
  initrd: initrdInImage,
  deviceTree: ignoresDeviceTree,
  door: alwaysHandover,
  headerChecks: fourConditions,
  placeKernel: inPlace,
  placeInitrd: initrdStays,
  bootParams: fourPages,
  placeCommandLine: copiedLow,
  passInitrd: lowHalves,
  entry: fromCode32Start,
}

const S2_248: StubEra = {
  ...S2,
  id: 'systemd-stub/S2/248',
  title: 'as S2, but the buffer for the variable SecureBoot is freed',
  spans: [
    { from: '248', to: '248.10' },
    { from: '249', to: '249.6' },
  ],
  commits: ['ce0f078f4d'],
  seen: ['248', '249'],
  variables: freesVariableBuffer,
}

const S2_249_6: StubEra = {
  ...S2_248,
  id: 'systemd-stub/S2/249.6',
  title: 'as S2/248, with messages that end at the status',
  spans: [
    { from: '248.10', to: '249' },
    { from: '249.6', to: '250' },
  ],
  commits: ['8aba0eec49'],
  seen: ['248.10', '249.6'],
  sectionTable: tableOfAnyMachine(''),
}

const S2_242: StubEra = {
  ...S2,
  id: 'systemd-stub/S2/242',
  title: 'as S2, but under Secure Boot LoadOptions are never taken',
  spans: [{ from: '242', to: '244' }],
  commits: ['6247c33614'],
  seen: [],
  commandLine: eightBitLine('ST-14', {
    options: printableOptions,
    underSecureBoot: 'never options',
    write: asItIs,
  }),
}

const S1_240: StubEra = {
  ...S2_242,
  id: 'systemd-stub/S1/240',
  title: 'as S2/242, but the kernel file up to handover_offset goes to boot_params, below 1 GiB',
  spans: [{ from: '240', to: '242' }],
  commits: ['15720d0340', 'b4f9f2a62f'],
  ia32: undefined,
  bootParams: fourPagesLow('told'),
}

const textLine = eightBitLine('ST-72', {
  options: textOptions,
  underSecureBoot: 'never options',
  write: asItIs,
})

const S1_239: StubEra = {
  ...S1_240,
  id: 'systemd-stub/S1/239',
  title: 'as S1/240, and takes LoadOptions that do not begin with NUL',
  spans: [{ from: '239', to: '240' }],
  commits: ['b4f9f2a62f', '293b167349'],
  commandLine: textLine,
}

const S1_236: StubEra = {
  ...S1_239,
  id: 'systemd-stub/S1/236',
  title: 'as S1/239, but the buffer for the variable SecureBoot is freed',
  spans: [{ from: '236', to: '239' }],
  variables: freesVariableBuffer,
}

const S1: StubEra = {
  ...S1_236,
  id: 'systemd-stub/S1',
  title: 'as S1/236, and does not tell the kernel of Secure Boot',
  spans: [{ from: '234', to: '236' }],
  commits: ['d4cbada2a9'],
  bootParams: fourPagesLow('not told'),
}

const S0_233: StubEra = {
  ...S1,
  id: 'systemd-stub/S0/233',
  title: 'as S1, but the section table comes from the file on disk',
  spans: [{ from: '233', to: '234' }],
  commits: ['293b167349'],
  sectionTable: tableOnDisk,
}

const S0: StubEra = {
  ...S0_233,
  id: 'systemd-stub/S0',
  title: 'as S0/233, and takes any LoadOptions',
  spans: [{ from: '229', to: '233' }],
  commits: ['0fa2cac4f0'],
  seen: ['229'],
  commandLine: eightBitLine('ST-73', {
    options: anyOptions,
    underSecureBoot: 'never options',
    write: asItIs,
  }),
}

const S3: StubEra = {
  ...S2_249_6,
  id: 'systemd-stub/S3',
  title: 'EFI handover in place as S2, and the initrd through LoadFile2, too',
  spans: [{ from: '250', to: '252' }],
  commits: ['a6089431d5', 'dc46792831', '845707aae2'],
  seen: ['250', '251'],
  ia32: undefined,
  sectionTable: tableOfOwnMachine('ST-7', {
    message: NO_LINUX,
    words: statusTitle,
    checks: [atMost96Sections],
  }),
  locate: lastWithPrefix(NAMES_250),
  kernel: kernelOrRefusal('ST-13', `${NO_LINUX}: Not Found`),
  initrd: joined({
    pieces: [initrd],
    joins: whenSomethingIsAdded,
    list: keepsNoList,
    pages: pagesBelow4G,
    none: noInitrd,
  }),
  deviceTree: needsFirmwareTree,
  headerChecks: longEnoughAndFour,
  passInitrd: lowHalvesAndLoadFile2,
}

const line252_3 = utf16Line('ST-16', {
  options: printableOptions,
  profiles: false,
  text: spacesOnly,
  confidential: 'not asked',
  extras: 'none',
  firmwareConsole: 'left alone',
})
const line252_6 = utf16Line('ST-16', {
  options: printableOptions,
  profiles: false,
  text: cutAtTheEnd,
  confidential: 'not asked',
  extras: 'none',
  firmwareConsole: 'left alone',
})

const S4_252_3: StubEra = {
  ...S3,
  id: 'systemd-stub/S4/252.3',
  title:
    'LoadImage and StartImage; for kernels without initrd support EFI handover in place, below 4 GiB only',
  spans: [{ from: '252.3', to: '252.6' }],
  commits: ['a529d8182e', 'ba2a105c2b', '927ebebe58'],
  seen: ['252.3'],
  pool: bootServicesPool,
  locate: lastWithPrefixWarned(NAMES_252),
  commandLine: line252_3,
  strings: freesLargeStrings,
  initrd: joined({
    pieces: [initrd, pcrsig, pcrpkey],
    joins: whenSomethingIsAdded,
    list: keepsNoList,
    pages: pagesBelow4G,
    none: noInitrd,
  }),
  door: imageOrHandover(startLoaded(loadTitles), statusTitle),
  headerChecks: eachCondition,
  placeKernel: inPlaceOrRefused,
  placeInitrd: initrdInReachOrRefused,
  bootParams: onePage('ST-38', asLongAsItSays),
  placeCommandLine: convertedToAscii,
  passInitrd: bothHalves,
  entry: fromImage,
}

const S4_252: StubEra = {
  ...S4_252_3,
  id: 'systemd-stub/S4/252',
  title: 'as S4/252.3, with a command line of eight bits up to the door',
  seen: ['252'],
  spans: [{ from: '252', to: '252.3' }],
  commits: ['a529d8182e', 'fa2eebc7a3', '03d5449f3a'],
  commandLine: eightBitLine('ST-74', {
    options: printableOptions,
    underSecureBoot: 'options without section',
    write: spaced,
  }),
  door: imageOrHandover(startWidened(loadTitles), statusTitle),
  placeCommandLine: copiedAnywhere,
}

const S4_252_6: StubEra = {
  ...S4_252_3,
  id: 'systemd-stub/S4/252.6',
  title: 'as S4/252.3, and cuts spaces off the end of the command line',
  spans: [{ from: '252.6', to: '252.11' }],
  commits: ['486cf22c35'],
  seen: ['252.6'],
  commandLine: line252_6,
}

const S4_252_11: StubEra = {
  ...S4_252_6,
  id: 'systemd-stub/S4/252.11',
  title: 'as S4/252.6, with pool of EfiLoaderData',
  spans: [{ from: '252.11', to: '252.36' }],
  commits: ['ec232e4abd'],
  seen: ['252.11', '252.31'],
  pool: loaderPool,
}

const S4_252_36: StubEra = {
  ...S4_252_11,
  id: 'systemd-stub/S4/252.36',
  title: 'as S4/252.11, with any number of sections',
  spans: [{ from: '252.36', to: '253' }],
  commits: ['8c5b359579'],
  seen: ['252.39'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_LINUX, words: statusTitle, checks: [] }),
}

const S4_253: StubEra = {
  ...S4_252_6,
  id: 'systemd-stub/S4/253',
  title: 'as S4/252.6, in other words, with strings in buffers of their size',
  spans: [{ from: '253', to: '253.5' }],
  commits: ['fa2eebc7a3', '7ca40a8b08'],
  seen: ['253'],
  variables: freesVariableBufferAfterSeed,
  strings: freesStrings,
  sectionTable: tableOfOwnMachine('ST-7', {
    message: NO_LINUX,
    words: statusText,
    checks: [atMost96Sections],
  }),
  kernel: kernelOrRefusal('ST-13', `${NO_LINUX}: Not found`),
  door: imageOrHandover(startLoaded(loadWords), statusText),
}

export const S4_253_5: StubEra = {
  ...S4_253,
  id: 'systemd-stub/S4/253.5',
  title: 'as S4/253, with pool of EfiLoaderData',
  spans: [{ from: '253.5', to: '253.31' }],
  commits: ['ec232e4abd'],
  seen: ['253.5', '253.26'],
  pool: loaderPool,
}

const S4_253_31: StubEra = {
  ...S4_253_5,
  id: 'systemd-stub/S4/253.31',
  title: 'as S4/253.5, with any number of sections',
  spans: [{ from: '253.31', to: '254' }],
  commits: ['8c5b359579'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_LINUX, words: statusText, checks: [] }),
}

/** In the order of their releases. */
export const EARLY_ERAS: readonly StubEra[] = [
  S0,
  S0_233,
  S1,
  S1_236,
  S1_239,
  S1_240,
  S2_242,
  S2,
  S2_248,
  S2_249_6,
  S3,
  S4_252,
  S4_252_3,
  S4_252_6,
  S4_252_11,
  S4_252_36,
  S4_253,
  S4_253_5,
  S4_253_31,
]
