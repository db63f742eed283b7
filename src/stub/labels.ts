/** Names of systemd-stub's eras (spec/ST-systemd-stub.md). */
import type { Label } from '../releases/history.ts'

/**
 * Eras by id, in the order in which they are shown. `S6/257.3` belongs to S6 and began with 257.3. An era
 * that is not listed here is named after its first release.
 */
export const STUB_LABELS: Readonly<Record<string, Label>> = {
  'systemd-stub/S0': { release: '229', title: 'as S0/233, and takes any LoadOptions' },
  'systemd-stub/S0/233': {
    release: '233',
    title: 'as S1, but the section table comes from the file on disk',
  },
  'systemd-stub/S1': { release: '234', title: 'as S1/236, and does not tell the kernel about Secure Boot' },
  'systemd-stub/S1/236': {
    release: '236',
    title: 'as S1/239, but the buffer for the variable SecureBoot is freed',
  },
  'systemd-stub/S1/239': {
    release: '239',
    title: 'as S1/240, and takes LoadOptions that do not begin with NUL',
  },
  'systemd-stub/S1/240': {
    release: '240',
    title: 'as S2/242, but the kernel file up to handover_offset goes to boot_params, below 1 GiB',
  },
  'systemd-stub/S2/242': {
    release: '242',
    title: 'as S2, but under Secure Boot LoadOptions are never taken',
  },
  'systemd-stub/S2': {
    release: '244',
    title: 'EFI handover in place; the setup header alone goes to boot_params',
  },
  'systemd-stub/S2/248': {
    release: '248',
    title: 'as S2, but the buffer for the variable SecureBoot is freed',
  },
  'systemd-stub/S2/249.6': { release: '249.6', title: 'as S2/248, with messages that end at the status' },
  'systemd-stub/S3': {
    release: '250',
    title: 'EFI handover in place as S2, and the initrd through LoadFile2, too',
  },
  'systemd-stub/S4/252': {
    release: '252',
    title: 'as S4/252.3, with an 8-bit command line until hand-off',
  },
  'systemd-stub/S4/252.3': {
    release: '252.3',
    title:
      'LoadImage and StartImage; for kernels without initrd support EFI handover in place, below 4 GiB only',
  },
  'systemd-stub/S4/252.6': {
    release: '252.6',
    title: 'as S4/252.3, and trims spaces from the end of the command line',
  },
  'systemd-stub/S4/252.11': { release: '252.11', title: 'as S4/252.6, with pool of EfiLoaderData' },
  'systemd-stub/S4/252.36': { release: '252.36', title: 'as S4/252.11, with any number of sections' },
  'systemd-stub/S4/253': {
    release: '253',
    title: 'as S4/252.6, with other messages, and strings in buffers of their exact size',
  },
  'systemd-stub/S4/253.5': { release: '253.5', title: 'as S4/253, with pool of EfiLoaderData' },
  'systemd-stub/S4/253.31': { release: '253.31', title: 'as S4/253.5, with any number of sections' },
  'systemd-stub/S5/254': {
    release: '254',
    title: 'as S4/253.5, but a handover kernel above 4 GiB is copied below, without its tail',
  },
  'systemd-stub/S5/254.2': {
    release: '254.2',
    title: 'as S5/254, and ignores LoadOptions in a confidential VM under Secure Boot',
  },
  'systemd-stub/S5/255': {
    release: '255',
    title: 'as S5/254.2, and trims blanks from both ends of the command line',
  },
  'systemd-stub/S5/256': { release: '256', title: 'as S5/255, with .ucode joined before .initrd' },
  'systemd-stub/S6/254': {
    release: '254.17',
    title:
      'LoadImage and StartImage; for kernels without initrd support EFI handover of a copy ' +
      'with a zeroed tail',
  },
  'systemd-stub/S6/254.24': { release: '254.24', title: 'as S6/254, with any number of sections' },
  'systemd-stub/S6/255': {
    release: '255.11',
    title: 'as S6/254, and trims blanks from both ends of the command line',
  },
  'systemd-stub/S6/255.18': { release: '255.18', title: 'as S6/255, with any number of sections' },
  'systemd-stub/S6/256': { release: '256.5', title: 'as S6/255, with .ucode joined before .initrd' },
  'systemd-stub/S6/256.12': { release: '256.12', title: 'as S6/256, with any number of sections' },
  'systemd-stub/S6/257': {
    release: '257',
    title:
      'as S6/256, with exact names, the first of which counts, profiles, and .osrel packed after the initrd',
  },
  'systemd-stub/S6/257.3': { release: '257.3', title: 'as S6/257, with any number of sections' },
  'systemd-stub/S6/257.5': {
    release: '257.5',
    title: 'as S6/257.3, with the joined initrd above 4 GiB when there is no room below',
  },
  'systemd-stub/S6/257.11': {
    release: '257.11',
    title: 'as S6/257.5, and boots without any piece of an initrd',
  },
  'systemd-stub/S7': {
    release: '258',
    title:
      "the stub's own loader, which subtracts the kernel's ImageBase; for older kernels " +
      'EFI handover in place',
  },
  'systemd-stub/S7/258.4': { release: '258.4', title: 'as S7, and boots without any piece of an initrd' },
  'systemd-stub/S7/258.8': {
    release: '258.8',
    title: 'as S7/258.4, and copies no more of the setup header than it knows',
  },
  'systemd-stub/S7/258.10': {
    release: '258.10',
    title: 'as S7/258.8, with more checks of headers and of the virtual size of sections',
  },
  'systemd-stub/S7/259': {
    release: '259',
    title: 'as S7, but takes only LoadOptions without control characters',
  },
  'systemd-stub/S7/259.1': { release: '259.1', title: 'as S7/259, and boots without any piece of an initrd' },
  'systemd-stub/S8/259.2': {
    release: '259.2',
    title:
      "the stub's own loader, whatever the kernel's ImageBase is, with checks of the raw " +
      'data; for older kernels EFI handover in place',
  },
  'systemd-stub/S8/259.6': {
    release: '259.6',
    title: 'as S8/259.2, and copies no more of the setup header than it knows',
  },
  'systemd-stub/S8/259.7': {
    release: '259.7',
    title: 'as S8/259.6, and aligns the kernel to its SectionAlignment',
  },
  'systemd-stub/S8/259.8': {
    release: '259.8',
    title: 'as S8/259.7, with every check of headers and sections',
  },
  'systemd-stub/S8/261': {
    release: '261',
    title: "as S8/259.6, and may name the firmware's console on the command line",
  },
  'systemd-stub/S8/261.1': {
    release: '261.1',
    title: "as S8/259.7, and may name the firmware's console on the command line",
  },
  'systemd-stub/S8': {
    release: '261.2',
    title: "the stub's own loader with every check; for older kernels EFI handover in place",
  },
}
