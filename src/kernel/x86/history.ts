/** The history of linux: its branches, its changes, and the names of its eras. Chapters EP and ZO. */
import type { History } from '../../releases/history.ts'
import type { KernelBehaviour } from './behaviour.ts'
import { base, changes, seen } from './changes.ts'

/** `major.first-rc1` to `major.last-rc1`. */
function branches(major: number, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${String(major)}.${String(first + i)}-rc1`)
}

/** What is known of linux. */
export const linux: History<KernelBehaviour> = {
  product: 'linux',
  branches: ['4.19', '4.20-rc1', ...branches(5, 0, 19), ...branches(6, 0, 19), ...branches(7, 0, 3)],
  end: '7.4-rc1',
  base,
  baseCommits: ['5b11f1cee579'],
  changes,
  labels: {
    'linux/E0a': {
      release: '4.19',
      title:
        'moves itself to pref_address or to the lowest free memory; takes its address from ' +
        'code32_start; .bss is in the file',
    },
    'linux/E0': {
      release: '5.3.11',
      title:
        'moves itself to pref_address or to low memory; takes its address from code32_start; ' +
        '.bss is in the file',
    },
    'linux/E1': {
      release: '5.7-rc1',
      title: '.bss no longer in the file and not cleared; moves itself only when misaligned',
    },
    'linux/E2a': {
      release: '5.7-rc2',
      title:
        'stub globals in .data; always moves itself after a handover; zero page of 16 KiB, ' +
        'header copy of a sector',
    },
    'linux/E2f': {
      release: '5.8-rc1',
      title:
        'always moves itself after a handover; header copy of a sector; keeps the command ' +
        'line in pool memory',
    },
    'linux/E2h': {
      release: '5.8-rc7',
      title:
        'always moves itself after a handover; page tables for KASLR alone; no initrd of half the ' +
        'memory; header copy ends with the header',
    },
    'linux/E2c': {
      release: '5.10-rc1',
      title:
        'always moves itself after a handover; decompresses in place after a PE entry; keeps ' +
        'setup_data of the image',
    },
    'linux/E2': {
      release: '5.10.146',
      title: 'always moves itself after a handover; decompresses in place after a PE entry',
    },
    'linux/E2d': {
      release: '5.11-rc1',
      title: 'moves only the bytes before .bss; keeps setup_data of the image',
    },
    'linux/E2e': { release: '5.15.71', title: 'moves only the bytes before .bss' },
    'linux/E2b': {
      release: '6.1-rc1',
      title: 'moves only the bytes before .bss; keeps the memory map in ACPI reclaim memory',
    },
    'linux/E2g': {
      release: '6.5-rc1',
      title: 'moves only the bytes before .bss; supports unaccepted memory',
    },
    'linux/E3a': {
      release: '6.6-rc1',
      title:
        'the EFI stub decompresses, at any address; clears .bss only after a handover; copies the header',
    },
    'linux/E3': {
      release: '6.6.17',
      title:
        'the EFI stub decompresses; clears .bss only after a handover; copies the header; miscounts slots',
    },
    'linux/E3b': {
      release: '6.1.81',
      title:
        'the EFI stub decompresses; clears .bss only after a handover; copies the header; ' +
        'miscounts slots; decompresses to an unset address when allocation fails',
    },
    'linux/E3d': {
      release: '6.1.83',
      title:
        'the EFI stub decompresses; clears .bss at every entry; copies the header; miscounts ' +
        'slots; decompresses to an unset address when allocation fails',
    },
    'linux/E3c': {
      release: '6.1.84',
      title:
        'the EFI stub decompresses; clears .bss at every entry; copies the header; ' +
        'decompresses to an unset address when allocation fails',
    },
    'linux/E4a': {
      release: '6.1.88',
      title:
        'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; KASLR ' +
        'ignores memory options',
    },
    'linux/E4b': {
      release: '6.1.93',
      title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    },
    'linux/E4': {
      release: '6.1.103',
      title:
        'the EFI stub decompresses; clears .bss at every entry; decompresses to an unset ' +
        'address when allocation fails',
    },
    'linux/E4c': {
      release: '6.7-rc1',
      title:
        'the EFI stub decompresses, at any address; clears .bss only after a handover; zero page in .bss',
    },
    'linux/E4e': {
      release: '6.6.18',
      title:
        'the EFI stub decompresses; clears .bss only after a handover; zero page in .bss; miscounts slots',
    },
    'linux/E4d': {
      release: '6.6.23',
      title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; miscounts slots',
    },
    'linux/E4j': {
      release: '6.9-rc1',
      title:
        'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; KASLR ' +
        'ignores memory options; no limit for files of initrd=',
    },
    'linux/E4f': {
      release: '6.6.24',
      title:
        'the EFI stub decompresses; clears .bss at every entry; zero page in .bss; KASLR ' +
        'ignores memory options',
    },
    'linux/E4g': {
      release: '6.6.33',
      title: 'the EFI stub decompresses; clears .bss at every entry; zero page in .bss',
    },
    'linux/E4h': { release: '6.6.44', title: 'the EFI stub decompresses; clears .bss at every entry' },
    'linux/E4i': {
      release: '6.6.88',
      title:
        'the EFI stub decompresses; clears .bss at every entry; room for 32 more descriptors ' +
        'of the memory map',
    },
    'linux/E5a': {
      release: '6.11-rc1',
      title:
        'the EFI stub decompresses; clears .bss only after a handover; room for 8 more ' +
        'descriptors of the memory map',
    },
    'linux/E5': { release: '6.12.25', title: 'the EFI stub decompresses; clears .bss only after a handover' },
    'linux/E6': {
      release: '6.15-rc1',
      title: 'the EFI stub decompresses; clears .bss only after a handover; no checksum in the file',
    },
  },
  seen,
}
