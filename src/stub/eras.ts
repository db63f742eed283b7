/** The eras of systemd-stub on x86-64: a row is an era, a cell is a step (spec/ST-systemd-stub.md). Adding an era is adding a row. */
import type { StubEra } from './model.ts'
import { bothHalves, convertedToAscii, copiedLow, fourPages, fromCode32Start, fromImage, lowHalves, onePage } from './steps/boot-params.ts'
import { eightBitLine, utf16Line } from './steps/command-line.ts'
import { ignoresDeviceTree, installsDeviceTree } from './steps/device-tree.ts'
import { alwaysHandover, imageOrHandover } from './steps/door.ts'
import { eachCondition, fourConditions } from './steps/header-checks.ts'
import { archivePiece, initrdInImage, joined, keepsList, keepsNoList, noInitrd, pagesBelow4G, pagesBelow4GFirst, readsThroughNull, sectionPiece, whenMoreThanOne, whenSomethingIsAdded } from './steps/initrd.ts'
import { firstWithName, kernelOrOwnImage, kernelOrRefusal, lastWithPrefix } from './steps/locate.ts'
import { copiedWithTail, initrdStays, initrdWithinReach, inPlace } from './steps/place-kernel.ts'
import { freesExtraDir, keepsExtraDir, keepsNoString } from './steps/strings.ts'
import { tableOfAnyMachine, tableOfOwnMachine } from './steps/section-table.ts'
import { keepsNoVariable, keepsVariableBuffer } from './steps/variables.ts'

const pcrsig = archivePiece('.pcrsig', 'tpm2-pcr-signature.json')
const pcrpkey = archivePiece('.pcrpkey', 'tpm2-pcr-public-key.pem')
const osrel = archivePiece('.osrel', 'os-release')
const profile = archivePiece('.profile', 'profile')
const initrd = sectionPiece('.initrd')
const ucode = sectionPiece('.ucode')

const NAMES_254 = ['.linux', '.osrel', '.cmdline', '.initrd', '.splash', '.dtb', '.uname', '.sbat', '.pcrsig', '.pcrpkey']
const NAMES_256 = [...NAMES_254, '.ucode']
const NAMES_257 = [...NAMES_256, '.profile', '.dtbauto', '.hwids']

const S2: StubEra = {
  id: 'systemd-stub/S2',
  title: 'EFI handover in place; the setup header alone goes to boot_params',
  spans: [{ from: '244', to: '250' }],
  commits: ['6247c33614', '53a2045521'],
  seen: ['245', '247.3'],
  variables: keepsVariableBuffer,
  sectionTable: tableOfAnyMachine,
  locate: lastWithPrefix(['.cmdline', '.linux', '.initrd', '.splash']),
  kernel: kernelOrOwnImage,
  commandLine: eightBitLine('ST-15', 'options without section'),
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

const S2_242: StubEra = {
  ...S2,
  id: 'systemd-stub/S2/242',
  title: 'as S2, but under Secure Boot LoadOptions are never taken',
  spans: [{ from: '242', to: '244' }],
  commits: ['6247c33614'],
  seen: [],
  commandLine: eightBitLine('ST-14', 'never options'),
}

const NO_LINUX_254 = 'Unable to locate embedded .linux section'

const S6_254: StubEra = {
  id: 'systemd-stub/S6/254',
  title: 'LoadImage and StartImage; for kernels without initrd support EFI handover of a copy with a zeroed tail',
  spans: [{ from: '254.17', to: '255' }, { from: '255.11', to: '256' }],
  commits: ['19812661f1', '7ba47e37a2', '7941c60205'],
  seen: ['254.26'],
  variables: keepsNoVariable,
  sectionTable: tableOfOwnMachine('ST-7', NO_LINUX_254),
  locate: lastWithPrefix(NAMES_254),
  kernel: kernelOrRefusal('ST-13', `${NO_LINUX_254}: Not found`),
  commandLine: utf16Line('ST-16', 'no profiles'),
  strings: keepsExtraDir,
  initrd: joined({ pieces: [initrd, pcrsig, pcrpkey], joins: whenSomethingIsAdded, list: keepsNoList, pages: pagesBelow4G, none: noInitrd }),
  deviceTree: installsDeviceTree(['.dtb']),
  door: imageOrHandover,
  headerChecks: eachCondition,
  placeKernel: copiedWithTail,
  placeInitrd: initrdWithinReach,
  bootParams: onePage,
  placeCommandLine: convertedToAscii,
  passInitrd: bothHalves,
  entry: fromImage,
}

const S6_256: StubEra = {
  ...S6_254,
  id: 'systemd-stub/S6/256',
  title: 'as S6/254, with .ucode joined in front of .initrd',
  spans: [{ from: '256.5', to: '257' }],
  commits: ['84111f8916'],
  seen: [],
  locate: lastWithPrefix(NAMES_256),
  initrd: joined({ pieces: [ucode, initrd, pcrsig, pcrpkey], joins: whenSomethingIsAdded, list: keepsNoList, pages: pagesBelow4G, none: noInitrd }),
}

const PIECES_257 = [ucode, initrd, pcrsig, pcrpkey, osrel, profile]

const S6_257: StubEra = {
  ...S6_256,
  id: 'systemd-stub/S6/257',
  title: 'as S6/256, with exact names, the first of which counts, profiles, and .osrel packed behind the initrd',
  spans: [{ from: '257', to: '257.5' }],
  commits: ['9e63e28aa6', '19812661f1'],
  seen: [],
  sectionTable: tableOfOwnMachine('ST-7', 'Unable to locate PE section table'),
  locate: firstWithName(NAMES_257),
  kernel: kernelOrRefusal('ST-10', 'Image lacks .linux section.'),
  commandLine: utf16Line('ST-17', 'profiles'),
  strings: freesExtraDir,
  deviceTree: installsDeviceTree(['.dtb', '.dtbauto']),
  initrd: joined({ pieces: PIECES_257, joins: whenMoreThanOne, list: keepsList, pages: pagesBelow4G, none: readsThroughNull }),
}

const S6_257_5: StubEra = {
  ...S6_257,
  id: 'systemd-stub/S6/257.5',
  title: 'as S6/257, with the joined initrd above 4 GiB when there is no room below',
  spans: [{ from: '257.5', to: '257.11' }],
  commits: ['c5a5046792'],
  seen: [],
  initrd: joined({ pieces: PIECES_257, joins: whenMoreThanOne, list: keepsList, pages: pagesBelow4GFirst, none: readsThroughNull }),
}

const S6_257_11: StubEra = {
  ...S6_257_5,
  id: 'systemd-stub/S6/257.11',
  title: 'as S6/257.5, and boots without any piece of an initrd',
  spans: [{ from: '257.11', to: '258' }],
  commits: ['3f4279829e'],
  seen: ['257.13'],
  initrd: joined({ pieces: PIECES_257, joins: whenMoreThanOne, list: keepsList, pages: pagesBelow4GFirst, none: noInitrd }),
}

/** All rows by id. A row under another one's id (`S6/257`) differs from it in the cells that it names. */
export const stubEras: Readonly<Record<string, StubEra>> = Object.fromEntries([S2, S2_242, S6_254, S6_256, S6_257, S6_257_5, S6_257_11].map(era => [era.id, era]))
