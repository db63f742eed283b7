/** What changed in lanzaboote's stub, and when (spec/LZ-lanzaboote.md). Releases are upstream's tags. */
import { TEXTS } from '../../messages/texts.ts'
import { type Change, changesOf } from '../../releases/change.ts'
import type { LanzabooteBehaviour } from './behaviour.ts'

const change = changesOf<LanzabooteBehaviour>()

/** Release 0.1 of the thin stub. */
export const THIN_0_1: LanzabooteBehaviour = {
  configuration: {
    names: 'early',
    source: 'file',
    longer: 'refused',
    panic: TEXTS['lanzaboote/configuration-0.3'],
  },
  payload: { way: 'in pieces' },
  trust: { otherHash: 'LoadImage' },
  commandLine: { loadOptions: false },
  initrd: { padded: false, companions: false },
}

const COMPANIONS = change(
  '4573a9dd9b',
  'archives of credentials and extensions follow the initrd',
  { in: ['0.4.2'] },
  { initrd: { companions: true } },
)

/** Of the thin stub. */
export const THIN_CHANGES: readonly Change<LanzabooteBehaviour>[] = [
  change(
    '9c128e9ef6',
    'reads its sections from memory, not from its file',
    { in: ['0.3'] },
    { configuration: { source: 'memory' } },
  ),
  change(
    'db39223a7c',
    'refuses a hash mismatch under Secure Boot, warns about it otherwise',
    { in: ['0.4'] },
    { trust: { otherHash: 'refused under Secure Boot' } },
  ),
  change(
    'b02a7e2a7f',
    'LoadOptions replace the command line without Secure Boot',
    { in: ['0.4'] },
    { commandLine: { loadOptions: true } },
  ),
  change('17cadf6598', 'reads each file at once', { in: ['0.4'] }, { payload: { way: 'at once' } }),
  change(
    '5de0b3e54a',
    'sections .linux and .initrd hold paths',
    { in: ['0.4'] },
    { configuration: { names: 'late' } },
  ),
  COMPANIONS,
  change('cd772abdcf', 'pads the initrd', { in: ['0.4.2'] }, { initrd: { padded: true } }),
  change(
    ['edeccc1fb0', '874ea2f5fb'],
    'zero-fills a section that is longer in memory than in the file; the fat stub is gone',
    { in: ['0.4.3'] },
    { configuration: { longer: 'filled' } },
  ),
  change(
    'ee219747f6',
    'one panic message for image and files',
    { in: ['1.1'] },
    {
      configuration: {
        panic: TEXTS['lanzaboote/configuration-old'],
      },
    },
  ),
  change(
    '94b26ee7dc',
    'refuses a hash mismatch regardless of Secure Boot',
    { in: ['1.1'] },
    { trust: { otherHash: 'refused' } },
  ),
]

/** Release 0.4 of the fat stub, the first that had one: 7ecafb2947. */
export const FAT_0_4: LanzabooteBehaviour = {
  configuration: {
    names: 'embedded',
    source: 'memory',
    longer: 'refused',
    panic: TEXTS['lanzaboote/configuration'],
  },
  payload: { way: 'copied' },
  trust: { otherHash: 'not compared' },
  commandLine: { loadOptions: true },
  initrd: { padded: false, companions: false },
}

/** Of the fat stub. */
export const FAT_CHANGES: readonly Change<LanzabooteBehaviour>[] = [COMPANIONS]
