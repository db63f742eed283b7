/**
 * The eras of systemd-stub with add-ons, up to S5: a handover kernel is copied when it lies above 4 GiB
 * (spec/ST-systemd-stub.md).
 */
import { initrd, pcrpkey, pcrsig, S4_253_5, ucode } from './eras-early.ts'
import type { StubEra } from './model.ts'
import { NAMES_254, NAMES_256 } from './names.ts'
import { loadsAddons } from './steps/addons.ts'
import { utf16Line, type Utf16Rules } from './steps/command-line.ts'
import { installsDeviceTree } from './steps/device-tree.ts'
import { joined, keepsNoList, noInitrd, pagesBelow4G, whenSomethingIsAdded } from './steps/initrd.ts'
import { cutAtBothEndsUnlessBlank, cutAtTheEnd } from './steps/line-text.ts'
import { printableOptions } from './steps/load-options.ts'
import { lastWithPrefix } from './steps/locate.ts'
import { copiedWhenHigh, initrdWithinReach } from './steps/place-kernel.ts'
import { keepsExtraDir } from './steps/strings.ts'
import { keepsNoVariable } from './steps/variables.ts'

const rules254: Utf16Rules = {
  options: printableOptions,
  profiles: false,
  text: cutAtTheEnd,
  confidential: 'asked',
  extras: 'as it is',
  firmwareConsole: 'left alone',
}

export const S5_254: StubEra = {
  ...S4_253_5,
  id: 'systemd-stub/S5/254',
  title: 'as S4/253.5, but a handover kernel above 4 GiB is copied below, without its tail',
  spans: [{ from: '254', to: '254.2' }],
  commits: ['669f16acf7', 'dfca5587cf', 'ccde62954c'],
  seen: ['254'],
  variables: keepsNoVariable,
  locate: lastWithPrefix(NAMES_254),
  addons: loadsAddons(['.cmdline']),
  commandLine: utf16Line('ST-16', { ...rules254, confidential: 'not asked' }),
  strings: keepsExtraDir,
  placeKernel: copiedWhenHigh,
  placeInitrd: initrdWithinReach,
}

export const S5_254_2: StubEra = {
  ...S5_254,
  id: 'systemd-stub/S5/254.2',
  title: 'as S5/254, and takes no LoadOptions in a confidential VM under Secure Boot',
  spans: [{ from: '254.2', to: '254.17' }],
  commits: ['fab0eeb72b'],
  seen: ['254.2'],
  commandLine: utf16Line('ST-16', rules254),
}

export const S5_255: StubEra = {
  ...S5_254_2,
  id: 'systemd-stub/S5/255',
  title: 'as S5/254.2, and cuts blanks off both ends of the command line',
  spans: [{ from: '255', to: '255.11' }],
  commits: ['90dab2b01e'],
  seen: ['255'],
  addons: loadsAddons(['.cmdline', '.dtb']),
  deviceTree: installsDeviceTree(['.dtb']),
  commandLine: utf16Line('ST-16', { ...rules254, text: cutAtBothEndsUnlessBlank }),
}

const S5_256: StubEra = {
  ...S5_255,
  id: 'systemd-stub/S5/256',
  title: 'as S5/255, with .ucode joined in front of .initrd',
  spans: [{ from: '256', to: '256.5' }],
  commits: ['aea81bc0ff'],
  seen: ['256'],
  locate: lastWithPrefix(NAMES_256),
  initrd: joined({
    pieces: [ucode, initrd, pcrsig, pcrpkey],
    joins: whenSomethingIsAdded,
    list: keepsNoList,
    pages: pagesBelow4G,
    none: noInitrd,
  }),
}

/** In the order of their releases. */
export const MIDDLE_ERAS: readonly StubEra[] = [S5_254, S5_254_2, S5_255, S5_256]
