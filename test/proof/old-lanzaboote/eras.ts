/**
 * The eras of lanzaboote's stub on x86-64: a row is an era, a cell is a step (spec/LZ-lanzaboote.md).
 * Releases are upstream's tags; the stub of 0.4.0 calls itself 0.3.0.
 */
import { THIN_NAMES } from '../../../src/image/uki.ts'
import type { LanzabooteEra } from './model.ts'
import { embeddedLine, optionsElseEmbedded } from './steps/command-line.ts'
import { embedded, fromFile, fromImage, fromImageExtended, paths } from './steps/configuration.ts'
import { asItIs, copiedFromImage, filesRead, padded, withCompanions } from './steps/payload.ts'
import { entersKernel } from './steps/start.ts'
import { elseByFirmware, elseRefused, elseRefusedUnderSecureBoot, nothingToCompare } from './steps/trust.ts'

const PANIC = 'Failed to extract configuration from binary. Did you run lzbt?'
const FAT_PANIC = 'Failed to extract configuration from binary.'
const PANIC_OF_BOTH =
  'Failed to extract configuration from binary and load kernel/initrd from disk. Did you run lzbt?'

const L0: LanzabooteEra = {
  id: 'lanzaboote/0.1',
  title:
    'thin: reads its own file again, kernel and initrd piece by piece; starts the kernel with its own loader, another kernel through LoadImage',
  names: 'early',
  spans: [{ from: '0.1', to: '0.3' }],
  commits: ['cb315d543c'],
  seen: ['0.1.0', '0.2.0'],
  configuration: paths('LZ-5', THIN_NAMES.early, { read: fromFile, panic: PANIC }),
  payload: filesRead('LZ-6', 'piece by piece'),
  trust: elseByFirmware,
  commandLine: embeddedLine,
  initrd: asItIs,
  handOff: entersKernel,
}

const L0_3: LanzabooteEra = {
  ...L0,
  id: 'lanzaboote/0.3',
  title: 'as 0.1, but reads its own sections in memory',
  spans: [{ from: '0.3', to: '0.4' }],
  commits: ['9c128e9ef6'],
  seen: ['0.3.0'],
  configuration: paths('LZ-5', THIN_NAMES.early, { read: fromImage, panic: PANIC }),
}

const L0_4: LanzabooteEra = {
  ...L0_3,
  id: 'lanzaboote/0.4',
  title:
    'thin: sections .linux and .initrd hold paths; files are read at once; without Secure Boot LoadOptions replace the command line, and hashes only warn',
  spans: [{ from: '0.4', to: '0.4.2' }],
  commits: ['5de0b3e54a', 'b02a7e2a7f', 'db39223a7c', '17cadf6598'],
  seen: ['0.4.0', '0.4.1'],
  names: 'late',
  configuration: paths('LZ-5', THIN_NAMES.late, { read: fromImage, panic: PANIC }),
  payload: filesRead('LZ-6', 'at once'),
  trust: elseRefusedUnderSecureBoot,
  commandLine: optionsElseEmbedded('LZ-14'),
}

const L0_4_FAT: LanzabooteEra = {
  ...L0_4,
  id: 'lanzaboote/0.4/fat',
  title: 'fat: sections .linux and .initrd hold kernel and initrd, which are copied into pool',
  names: 'embedded',
  commits: ['7ecafb2947'],
  configuration: embedded('LZ-7', { read: fromImage, panic: FAT_PANIC }),
  payload: copiedFromImage,
  trust: nothingToCompare,
}

const L0_4_2: LanzabooteEra = {
  ...L0_4,
  id: 'lanzaboote/0.4.2',
  title: 'as 0.4, and pads the initrd, behind which archives of credentials and extensions go',
  spans: [{ from: '0.4.2', to: '0.4.3' }],
  commits: ['4573a9dd9b', 'cd772abdcf'],
  seen: ['0.4.2'],
  initrd: padded,
}

const L0_4_2_FAT: LanzabooteEra = {
  ...L0_4_FAT,
  id: 'lanzaboote/0.4.2/fat',
  title: 'as 0.4/fat, and archives of credentials and extensions go behind the initrd',
  spans: [{ from: '0.4.2', to: '0.4.3' }],
  commits: ['4573a9dd9b'],
  seen: ['0.4.2'],
  initrd: withCompanions,
}

const L0_4_3: LanzabooteEra = {
  ...L0_4_2,
  id: 'lanzaboote/0.4.3',
  title: 'as 0.4.2, thin only, and takes a section that is longer in memory than in the file',
  spans: [{ from: '0.4.3', to: '1.1' }],
  commits: ['edeccc1fb0', '874ea2f5fb'],
  seen: ['0.4.3', '1.0.0'],
  configuration: paths('LZ-5', THIN_NAMES.late, { read: fromImageExtended, panic: PANIC }),
}

const L1_1: LanzabooteEra = {
  ...L0_4_3,
  id: 'lanzaboote/1.1',
  title: 'as 0.4.3, but refuses files with another hash whatever Secure Boot says',
  spans: [{ from: '1.1', to: '1.2' }],
  commits: ['94b26ee7dc', 'ee219747f6'],
  seen: ['1.1.0'],
  configuration: paths('LZ-5', THIN_NAMES.late, { read: fromImageExtended, panic: PANIC_OF_BOTH }),
  trust: elseRefused,
}

/** Thin stubs in the order of their releases, then fat ones. */
export const lanzabooteEras: readonly LanzabooteEra[] = [
  L0,
  L0_3,
  L0_4,
  L0_4_2,
  L0_4_3,
  L1_1,
  L0_4_FAT,
  L0_4_2_FAT,
]
