/**
 * The history of lanzaboote's stub, thin and fat (spec/LZ-lanzaboote.md). The stub of 0.4.0 calls itself
 * 0.3.0.
 */
import type { History } from '../../releases/history.ts'
import type { LanzabooteBehaviour } from './behaviour.ts'
import { FAT_0_4, FAT_CHANGES, THIN_0_1, THIN_CHANGES } from './changes.ts'

/** What is known of the releases of the thin stub. */
export const thinHistory: History<LanzabooteBehaviour> = {
  product: 'lanzaboote',
  branches: ['0.1', '0.2', '0.3', '0.4', '1.0', '1.1'],
  end: '1.2',
  base: THIN_0_1,
  baseCommits: ['cb315d543c'],
  changes: THIN_CHANGES,
  labels: {
    'lanzaboote/0.1': {
      release: '0.1',
      title:
        'thin: re-reads its own file, reads kernel and initrd in pieces; loads the kernel ' +
        'itself, or through LoadImage if its hash differs',
    },
    'lanzaboote/0.3': { release: '0.3', title: 'as 0.1, but reads its own sections in memory' },
    'lanzaboote/0.4': {
      release: '0.4',
      title:
        'thin: sections .linux and .initrd hold paths; files are read at once; without ' +
        'Secure Boot LoadOptions replace the command line, and a hash mismatch only warns',
    },
    'lanzaboote/0.4.2': {
      release: '0.4.2',
      title: 'as 0.4, and pads the initrd, after which archives of credentials and extensions go',
    },
    'lanzaboote/0.4.3': {
      release: '0.4.3',
      title: 'as 0.4.2, thin only, and accepts a section that is longer in memory than in the file',
    },
    'lanzaboote/1.1': {
      release: '1.1',
      title: 'as 0.4.3, but refuses files whose hash differs regardless of Secure Boot',
    },
  },
  seen: {
    '0.1.0': 'read',
    '0.2.0': 'read',
    '0.3.0': 'read',
    '0.4.0': 'read',
    '0.4.1': 'read',
    '0.4.2': 'read',
    '0.4.3': 'read',
    '1.0.0': 'read',
    '1.1.0': 'read',
  },
}

/** What is known of the releases of the fat stub. */
export const fatHistory: History<LanzabooteBehaviour> = {
  product: 'lanzaboote',
  branches: ['0.4'],
  end: '0.4.3',
  base: FAT_0_4,
  baseCommits: ['7ecafb2947'],
  changes: FAT_CHANGES,
  labels: {
    'lanzaboote/0.4/fat': {
      release: '0.4',
      title: 'fat: sections .linux and .initrd hold kernel and initrd, which are copied into pool',
    },
    'lanzaboote/0.4.2/fat': {
      release: '0.4.2',
      title: 'as 0.4/fat, and archives of credentials and extensions go after the initrd',
    },
  },
  seen: { '0.4.0': 'read', '0.4.1': 'read', '0.4.2': 'read' },
}
