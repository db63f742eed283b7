/**
 * The eras of systemd-stub on x86-64: a row is an era, a cell is a step (spec/ST-systemd-stub.md). Adding an
 * era is adding a row. Here S6 to S8; eras-early.ts and eras-middle.ts have the older ones.
 */
import { EARLY_ERAS, initrd, pcrpkey, pcrsig, ucode } from './eras-early.ts'
import { MIDDLE_ERAS, S5_254_2, S5_255 } from './eras-middle.ts'
import type { StubEra } from './model.ts'
import { NAMES_256, NO_LINUX } from './names.ts'
import { atMostKnown, onePage } from './steps/boot-params.ts'
import { loadsAddons } from './steps/addons.ts'
import { utf16Line } from './steps/command-line.ts'
import { cutAtBothEnds } from './steps/line-text.ts'
import { installsDeviceTree } from './steps/device-tree.ts'
import { entryInside, ownLoaderOrHandover } from './steps/door.ts'
import {
  archivePiece,
  joined,
  keepsList,
  keepsNoList,
  noInitrd,
  pagesBelow4G,
  pagesBelow4GFirst,
  readsThroughNull,
  whenMoreThanOne,
  whenSomethingIsAdded,
} from './steps/initrd.ts'
import {
  alignedPages,
  allInside,
  anyPages,
  fromImageBase,
  fromImageBaseInside,
  rawDataInside,
} from './steps/inner-loader.ts'
import { cleanOptions, printableOptions } from './steps/load-options.ts'
import { anywhere, firstWithName, insideImage, kernelOrRefusal, lastWithPrefix } from './steps/locate.ts'
import { statusText } from './steps/patch.ts'
import { copiedWhenHigh, copiedWithTail } from './steps/place-kernel.ts'
import { freesExtraDir } from './steps/strings.ts'
import {
  atMost96Sections,
  headerInFile,
  peBehindDos,
  sixDirectories,
  tableInImage,
  tableOfOwnMachine,
} from './steps/section-table.ts'

const NAMES_257 = [...NAMES_256, '.profile', '.dtbauto', '.hwids']
const NAMES_258 = [...NAMES_257, '.efifw']
const NO_TABLE = 'Unable to locate PE section table'
const osrel = archivePiece('.osrel', 'os-release')
const profile = archivePiece('.profile', 'profile')
const PIECES_257 = [ucode, initrd, pcrsig, pcrpkey, osrel, profile]
const MADE_257 = [pcrsig, pcrpkey, profile, osrel, initrd, ucode]

const S6_254: StubEra = {
  ...S5_254_2,
  id: 'systemd-stub/S6/254',
  title:
    'LoadImage and StartImage; for kernels without initrd support EFI handover of a copy with a zeroed tail',
  spans: [{ from: '254.17', to: '254.24' }],
  commits: ['19812661f1', '7ba47e37a2'],
  seen: ['254.17'],
  placeKernel: copiedWithTail,
}

const S6_254_24: StubEra = {
  ...S6_254,
  id: 'systemd-stub/S6/254.24',
  title: 'as S6/254, with any number of sections',
  spans: [{ from: '254.24', to: '255' }],
  commits: ['8c5b359579'],
  seen: ['254.26'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_LINUX, words: statusText, checks: [] }),
}

const S6_255: StubEra = {
  ...S5_255,
  id: 'systemd-stub/S6/255',
  title: 'as S6/254, and cuts blanks off both ends of the command line',
  spans: [{ from: '255.11', to: '255.18' }],
  commits: ['7941c60205'],
  seen: ['255.11'],
  placeKernel: copiedWithTail,
}

const S6_255_18: StubEra = {
  ...S6_255,
  id: 'systemd-stub/S6/255.18',
  title: 'as S6/255, with any number of sections',
  spans: [{ from: '255.18', to: '256' }],
  commits: ['8c5b359579'],
  seen: ['255.18'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_LINUX, words: statusText, checks: [] }),
}

const S6_256: StubEra = {
  ...S6_255,
  id: 'systemd-stub/S6/256',
  title: 'as S6/255, with .ucode joined in front of .initrd',
  spans: [{ from: '256.5', to: '256.12' }],
  commits: ['84111f8916'],
  locate: lastWithPrefix(NAMES_256),
  initrd: joined({
    pieces: [ucode, initrd, pcrsig, pcrpkey],
    joins: whenSomethingIsAdded,
    list: keepsNoList,
    pages: pagesBelow4G,
    none: noInitrd,
  }),
}

const S6_256_12: StubEra = {
  ...S6_256,
  id: 'systemd-stub/S6/256.12',
  title: 'as S6/256, with any number of sections',
  spans: [{ from: '256.12', to: '257' }],
  commits: ['8c5b359579'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_LINUX, words: statusText, checks: [] }),
}

const S6_257: StubEra = {
  ...S6_256,
  id: 'systemd-stub/S6/257',
  title:
    'as S6/256, with exact names, the first of which counts, profiles, and .osrel packed behind the initrd',
  spans: [{ from: '257', to: '257.3' }],
  commits: ['9e63e28aa6', '19812661f1'],
  sectionTable: tableOfOwnMachine('ST-7', {
    message: NO_TABLE,
    words: statusText,
    checks: [peBehindDos, atMost96Sections],
  }),
  locate: firstWithName(NAMES_257, printableOptions, anywhere),
  kernel: kernelOrRefusal('ST-10', 'Image lacks .linux section.'),
  addons: loadsAddons(['.cmdline', '.dtb', '.dtbauto', '.initrd', '.ucode']),
  commandLine: utf16Line('ST-17', {
    options: printableOptions,
    profiles: true,
    text: cutAtBothEnds,
    confidential: 'asked',
    extras: 'trimmed',
    firmwareConsole: 'left alone',
  }),
  strings: freesExtraDir,
  deviceTree: installsDeviceTree(['.dtb', '.dtbauto']),
  initrd: joined({
    pieces: PIECES_257,
    made: MADE_257,
    joins: whenMoreThanOne,
    list: keepsList,
    pages: pagesBelow4G,
    none: readsThroughNull,
  }),
}

const S6_257_3: StubEra = {
  ...S6_257,
  id: 'systemd-stub/S6/257.3',
  title: 'as S6/257, with any number of sections',
  spans: [{ from: '257.3', to: '257.5' }],
  commits: ['8c5b359579'],
  sectionTable: tableOfOwnMachine('ST-7', { message: NO_TABLE, words: statusText, checks: [peBehindDos] }),
}

const readsNull = joined({
  pieces: PIECES_257,
  made: MADE_257,
  joins: whenMoreThanOne,
  list: keepsList,
  pages: pagesBelow4GFirst,
  none: readsThroughNull,
})

const S6_257_5: StubEra = {
  ...S6_257_3,
  id: 'systemd-stub/S6/257.5',
  title: 'as S6/257.3, with the joined initrd above 4 GiB when there is no room below',
  spans: [{ from: '257.5', to: '257.11' }],
  commits: ['c5a5046792'],
  initrd: readsNull,
}

const joinsOrNone = joined({
  pieces: PIECES_257,
  made: MADE_257,
  joins: whenMoreThanOne,
  list: keepsList,
  pages: pagesBelow4GFirst,
  none: noInitrd,
})

const S6_257_11: StubEra = {
  ...S6_257_5,
  id: 'systemd-stub/S6/257.11',
  title: 'as S6/257.5, and boots without any piece of an initrd',
  spans: [{ from: '257.11', to: '258' }],
  commits: ['3f4279829e'],
  seen: ['257.13'],
  initrd: joinsOrNone,
}

const S7: StubEra = {
  ...S6_257_5,
  id: 'systemd-stub/S7',
  title:
    "the stub's own loader, which subtracts the kernel's ImageBase; for older kernels EFI handover in place",
  spans: [{ from: '258', to: '258.4' }],
  commits: ['cab9c7b5a4', '40aabfae72', '23d56ae890', '428cd7bfba', '70b7e03ebb'],
  locate: firstWithName(NAMES_258, printableOptions, anywhere),
  door: ownLoaderOrHandover({ pages: anyPages, sections: fromImageBase, tableInFile: 'not asked' }, [
    peBehindDos,
  ]),
  placeKernel: copiedWhenHigh,
}

const S7_258_4: StubEra = {
  ...S7,
  id: 'systemd-stub/S7/258.4',
  title: 'as S7, and boots without any piece of an initrd',
  spans: [{ from: '258.4', to: '258.8' }],
  commits: ['3f4279829e'],
  initrd: joinsOrNone,
}

const S7_258_8: StubEra = {
  ...S7_258_4,
  id: 'systemd-stub/S7/258.8',
  title: 'as S7/258.4, and copies no more of the setup header than it knows',
  spans: [{ from: '258.8', to: '258.10' }],
  commits: ['a770fb3e14'],
  bootParams: onePage('ST-83', atMostKnown),
}

const S7_258_10: StubEra = {
  ...S7_258_8,
  id: 'systemd-stub/S7/258.10',
  title: 'as S7/258.8, with more checks of headers and of the virtual size of sections',
  spans: [{ from: '258.10', to: '259' }],
  commits: ['918e8f9dd9', 'feeba8fa3b', 'ecf3f5056a'],
  sectionTable: tableOfOwnMachine('ST-7', {
    message: NO_TABLE,
    words: statusText,
    checks: [peBehindDos, sixDirectories],
  }),
  door: ownLoaderOrHandover({ pages: anyPages, sections: fromImageBaseInside, tableInFile: 'not asked' }, [
    peBehindDos,
    sixDirectories,
    entryInside,
  ]),
}

const line259 = utf16Line('ST-85', {
  options: cleanOptions,
  profiles: true,
  text: cutAtBothEnds,
  confidential: 'asked',
  extras: 'trimmed',
  firmwareConsole: 'left alone',
})

const S7_259: StubEra = {
  ...S7,
  id: 'systemd-stub/S7/259',
  title: 'as S7, but LoadOptions must not hold any control character',
  spans: [{ from: '259', to: '259.1' }],
  commits: ['226e050a0d'],
  locate: firstWithName(NAMES_258, cleanOptions, anywhere),
  commandLine: line259,
}

const S7_259_1: StubEra = {
  ...S7_259,
  id: 'systemd-stub/S7/259.1',
  title: 'as S7/259, and boots without any piece of an initrd',
  spans: [{ from: '259.1', to: '259.2' }],
  commits: ['3f4279829e'],
  initrd: joinsOrNone,
}

const S8_259_2: StubEra = {
  ...S7_259_1,
  id: 'systemd-stub/S8/259.2',
  title:
    "the stub's own loader, whatever the kernel's ImageBase is, with checks of the raw data; for older kernels EFI handover in place",
  spans: [
    { from: '259.2', to: '259.6' },
    { from: '260', to: '260.2' },
  ],
  commits: ['d9d300dc4c', '1cd2ff3cca'],
  door: ownLoaderOrHandover({ pages: anyPages, sections: rawDataInside, tableInFile: 'not asked' }, [
    peBehindDos,
  ]),
}

const S8_259_6: StubEra = {
  ...S8_259_2,
  id: 'systemd-stub/S8/259.6',
  title: 'as S8/259.2, and copies no more of the setup header than it knows',
  spans: [
    { from: '259.6', to: '259.7' },
    { from: '260.2', to: '260.3' },
  ],
  commits: ['a770fb3e14'],
  bootParams: onePage('ST-83', atMostKnown),
}

const S8_259_7: StubEra = {
  ...S8_259_6,
  id: 'systemd-stub/S8/259.7',
  title: 'as S8/259.6, and aligns the kernel as its SectionAlignment says',
  spans: [
    { from: '259.7', to: '259.8' },
    { from: '260.3', to: '260.4' },
  ],
  commits: ['e641f37499'],
  door: ownLoaderOrHandover({ pages: alignedPages, sections: rawDataInside, tableInFile: 'not asked' }, [
    peBehindDos,
  ]),
}

const S8_259_8: StubEra = {
  ...S8_259_7,
  id: 'systemd-stub/S8/259.8',
  title: 'as S8/259.7, with every check of headers and sections',
  spans: [
    { from: '259.8', to: '260' },
    { from: '260.4', to: '261' },
  ],
  commits: ['918e8f9dd9', 'dc55e4a5a0', 'feeba8fa3b', 'ecf3f5056a'],
  sectionTable: tableOfOwnMachine('ST-7', {
    message: NO_TABLE,
    words: statusText,
    checks: [peBehindDos, sixDirectories, tableInImage],
  }),
  locate: firstWithName(NAMES_258, cleanOptions, insideImage),
  door: ownLoaderOrHandover({ pages: alignedPages, sections: allInside, tableInFile: 'asked' }, [
    headerInFile,
    peBehindDos,
    sixDirectories,
    entryInside,
  ]),
}

const line261 = utf16Line('ST-85', {
  options: cleanOptions,
  profiles: true,
  text: cutAtBothEnds,
  confidential: 'asked',
  extras: 'trimmed',
  firmwareConsole: 'added',
})

const S8_261: StubEra = {
  ...S8_259_6,
  id: 'systemd-stub/S8/261',
  title: "as S8/259.6, and may name the firmware's console on the command line",
  spans: [{ from: '261', to: '261.1' }],
  commits: ['45e4df9a33'],
  commandLine: line261,
}

const S8_261_1: StubEra = {
  ...S8_259_7,
  id: 'systemd-stub/S8/261.1',
  title: "as S8/259.7, and may name the firmware's console on the command line",
  spans: [{ from: '261.1', to: '261.2' }],
  commits: ['e641f37499', '45e4df9a33'],
  commandLine: line261,
}

const S8: StubEra = {
  ...S8_259_8,
  id: 'systemd-stub/S8',
  title: "the stub's own loader with every check; for older kernels EFI handover in place",
  spans: [{ from: '261.2', to: '263' }],
  commits: ['dc55e4a5a0', '45e4df9a33'],
  seen: ['262.1'],
  commandLine: line261,
}

const LATER_ERAS = [
  S6_254,
  S6_254_24,
  S6_255,
  S6_255_18,
  S6_256,
  S6_256_12,
  S6_257,
  S6_257_3,
  S6_257_5,
  S6_257_11,
  S7,
  S7_258_4,
  S7_258_8,
  S7_258_10,
  S7_259,
  S7_259_1,
  S8_259_2,
  S8_259_6,
  S8_259_7,
  S8_259_8,
  S8_261,
  S8_261_1,
  S8,
]

/** All rows by id. A row under another one's id (`S6/257`) differs from it in the cells that it names. */
export const stubEras: Readonly<Record<string, StubEra>> = Object.fromEntries(
  [...EARLY_ERAS, ...MIDDLE_ERAS, ...LATER_ERAS].map(era => [era.id, era]),
)
