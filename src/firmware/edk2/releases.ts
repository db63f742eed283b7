/**
 * What differs between releases of EDK2: one entry per upstream change, with the release that has it first
 * (chapters FW, PE). The build replaces this module by its data.
 */
import { ModelBug } from '../../bytes/errors.ts'
import { changesOf } from '../../releases/change.ts'
import { behaviour, type History } from '../../releases/history.ts'

/** How a release of EDK2 allocates memory and loads images from it. */
export interface Edk2Behaviour {
  /** Is EfiUnacceptedMemoryType granted by AllocatePool (FW-45)? */
  readonly poolGrantsUnaccepted: boolean
  /** Can a HOB reserve a range for the bins (FW-42)? */
  readonly binRangeHob: boolean
  /** Are bins allocated as one range, rather than one by one (FW-41)? */
  readonly binsAsOneRange: boolean
  /** Are free pages with EFI_MEMORY_SP skipped (FW-24)? */
  readonly skipsSpecialPurpose: boolean
  /** Can AllocateAddress return page 0 (FW-25)? */
  readonly grantsPageZero: boolean
  /** Does FreePages keep read-only pages (FW-44)? */
  readonly keepsReadOnly: boolean
  /** Does GetMemoryMap split free descriptors at the edges of bins (FW-34), or report them whole (FW-15)? */
  readonly cutsAtBins: boolean
  /** Must a guard page lie inside the range that is searched, and off page 0 (FW-37)? */
  readonly guardsInside: boolean
  /** Does a section without raw data that begins outside the image zero address 0 (PE-26)? */
  readonly zeroesAddressZero: boolean
}

const change = changesOf<Edk2Behaviour>()

const HISTORY: History<Edk2Behaviour> = {
  product: 'edk2',
  branches: ['2020.11'],
  end: '2027.02',
  base: {
    poolGrantsUnaccepted: false,
    binRangeHob: false,
    binsAsOneRange: false,
    skipsSpecialPurpose: false,
    grantsPageZero: true,
    keepsReadOnly: false,
    cutsAtBins: false,
    guardsInside: false,
    zeroesAddressZero: true,
  },
  changes: [
    change(
      ['43e306806e', '96192ba5bd'],
      'unaccepted memory has a type number, which the pool did not know for one release',
      { in: ['2022.11'], until: ['2023.02'] },
      { poolGrantsUnaccepted: true },
    ),
    change('af6e0e728f', 'a range for bins by HOB', { in: ['2024.02'] }, { binRangeHob: true }),
    change(
      '4d4f569924',
      'special-purpose memory is not allocated',
      { in: ['2024.08'] },
      { skipsSpecialPurpose: true },
    ),
    change(
      'b7735a087a',
      'an empty section outside the image is skipped',
      { in: ['2024.11'] },
      { zeroesAddressZero: false },
    ),
    change('91bb5cee36', 'page 0 is never allocated', { in: ['2025.08'] }, { grantsPageZero: false }),
    change('2d69507a4d', 'read-only pages are not freed', { in: ['2025.08'] }, { keepsReadOnly: true }),
    change([], 'bins are reported to the page', { in: ['2026.02'] }, { cutsAtBins: true }),
    change(
      '0f2dc75587',
      'guard pages stay in the searched range',
      { in: ['2026.05'] },
      { guardsInside: true },
    ),
    change('d93ad5f525', 'bins are allocated as one range', { in: ['2026.08'] }, { binsAsOneRange: true }),
  ],
  labels: {},
  seen: { '2020.11': 'booted', '2022.11': 'booted', '2025.02': 'booted', '2026.05': 'read' },
}

/** Releases that are listed: each differs from the one before it, or was recorded. */
export const EDK2_RELEASES = [
  '2020.11',
  '2022.11',
  '2023.02',
  '2024.02',
  '2024.08',
  '2024.11',
  '2025.02',
  '2025.08',
  '2026.02',
  '2026.05',
  '2026.08',
] as const
export type Edk2Release = (typeof EDK2_RELEASES)[number]

function behaviourOf(release: Edk2Release): Edk2Behaviour {
  const found = behaviour(HISTORY, release)
  if (found === null) throw new ModelBug(`EDK2 ${release} is outside the table`)
  return found
}

/** How they behave, by release. */
export const EDK2_BEHAVIOURS = Object.fromEntries(
  EDK2_RELEASES.map(release => [release, behaviourOf(release)]),
) as Readonly<Record<Edk2Release, Edk2Behaviour>>
