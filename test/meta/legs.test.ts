/** Legs of findings cite clauses that say what the leg says: what was done, and to which object. */
import { expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import type { Finding, Leg } from '../../src/hazard/hazard.ts'
import { uki, type UkiOptions } from '../../src/vitest/builders.ts'
import { scenario, type ScenarioOptions } from '../../src/vitest/scenario.ts'
import { readClauses } from '../support/clauses.ts'
import { examples } from '../unit/hazard/examples.ts'

const TITLES = new Map(readClauses().clauses.map(({ id, title }) => [id, title]))

/** A deed as a leg words it, the role it can have, and what the title of its clause must be about. */
interface Deed {
  readonly words: RegExp
  readonly roles: readonly Leg['role'][]
  readonly about: RegExp
}

/** Who wrote, who owned, who read. */
const DEEDS: readonly Deed[] = [
  {
    words: /^loaded \S+ as /,
    roles: ['placed', 'overwritten', 'found'],
    about:
      /loaded|LoadFile2|started as an image|starts an image|writes the kernel|everything below|its window/,
  },
  {
    words: /^copied /,
    roles: ['moved', 'overwritten', 'placed', 'found'],
    about: /copied|moves?\b|archive|below 640 KiB|one after the other/,
  },
  { words: /^zeroed /, roles: ['overwritten', 'found'], about: /clear|zero|four pages|one page/ },
  {
    words: /^wrote \S+ as firmware:/,
    roles: ['placed', 'found'],
    about: /^Memory that is not free when the boot begins belongs to the firmware$/,
  },
  { words: /^wrote \S+ as stub:/, roles: ['overwritten', 'found'], about: /stub.*(writes|own)|own data/ },
  {
    words: /^wrote \S+ as (?:vo|kernel)/,
    roles: ['overwritten', 'found', 'placed'],
    about: /output is written|move|Page tables|stack/,
  },
  { words: /^RAM /, roles: ['placed', 'found', 'handed-out'], about: /^Memory that is not free/ },
  {
    words: /^(?:allocated|freed) /,
    roles: ['placed', 'handed-out', 'found'],
    about: /hole|bin|page|descriptor|buffer|monitor|frees/i,
  },
  { words: /^read \S+ as initrd/, roles: ['used'], about: /initrd/ },
  { words: /^read \S+ as cmdline/, roles: ['used'], about: /command line|\.cmdline/ },
  { words: /^read \S+ as boot_params/, roles: ['used'], about: /boot_params|zero page/ },
  { words: /^read \S+ as vo/, roles: ['used'], about: /VO/ },
  {
    words: /^read \S+ as (?:kernel|stub:)/,
    roles: ['used'],
    about: /\.bss|own code|payload|handover protocol|jump|entered|runs from its entry/,
  },
  {
    words: /^the (?:hand-off was checked|decompressor was modelled)$/,
    roles: ['found'],
    about: /setup header|alignment|sentinel|window|\.bss|whole|code32_start|setup_data|reach input/,
  },
]

/** Why a leg does not say what its clause says; null if it does. */
function complaint(id: string, leg: Leg): string | null {
  if (leg.clause === null)
    return leg.event === null || /^allocated|^freed/.test(leg.what) ? null : `${id}: no clause: ${leg.what}`
  const title = TITLES.get(leg.clause) ?? ''
  const deeds = DEEDS.filter(({ words }) => words.test(leg.what))
  const fits = deeds.some(({ roles, about }) => roles.includes(leg.role) && about.test(title))
  return fits ? null : `${id}: ${leg.role}: ${leg.what}: ${leg.clause} ${title}`
}

const complaints = (id: string, findings: readonly Finding[]): string[] =>
  findings.flatMap(({ legs }) => legs.flatMap(leg => complaint(id, leg) ?? []))

test('every leg of every page of docs/hazards, which explain prints', () => {
  expect(Object.entries(examples).flatMap(([id, make]) => complaints(id, make()))).toEqual([])
})

/** Boots that go wrong in every way that a rule of damage or breach knows. */
const BAD: readonly (readonly [string, ScenarioOptions])[] = [
  ...(['229', '247.3', '252.39'] as const).flatMap(stub =>
    (['dracut-060', 'ukify-253'] as const).flatMap(as =>
      ['6.12.107-cloud', 'derived-5.7-rc1', 'derived-5.6'].map(
        kernel =>
          [
            `${stub} ${as} ${kernel}`,
            { image: uki({ stub: stub === '229' ? '247.3' : stub, as, kernel, initrd: '8M' }), stub },
          ] as const,
      ),
    ),
  ),
  ...[
    { '.cmdline': 0xd000, '.osrel': 0x5000, '.linux': 0x100000, '.initrd': 0x600000 },
    { '.linux': 0x100000, '.initrd': 0x100000 },
    { '.initrd': 0x11000 },
  ].map(
    at =>
      [
        `overlap ${JSON.stringify(at)}`,
        { image: { stub: '247.3', at, initrd: '8M' } satisfies UkiOptions },
      ] as const,
  ),
  ['above 4 GiB', { image: { stub: '247.3', kernel: '5.10.223' }, ram: '8G', imageBase: '5G' }],
]

test('every leg of every finding of boots that go wrong', () => {
  const seen = new Set<string>()
  const wrong = BAD.flatMap(([name, options]) => {
    const { findings } = check(scenario(options)).report
    findings.forEach(({ rule }) => seen.add(rule))
    return complaints(name, findings)
  })
  expect(wrong).toEqual([])
  expect(seen.size).toBeGreaterThan(5)
})

test('clauses about something else are complained about', () => {
  const leg = (role: Leg['role'], clause: string, what: string): Leg => ({
    role,
    clause,
    what,
    event: 1,
    actor: 'firmware',
    range: null,
  })
  for (const bad of [
    leg('placed', 'PE-6', 'loaded 0x1000-0x2000 as initrd: section .initrd of uki'),
    leg('overwritten', 'EP-7', 'zeroed 0x1000-0x2000 as kernel: the EFI stub clears .bss'),
    leg('used', 'ZO-9', 'read 0x1000-0x2000 as initrd: the extracted kernel reads its initrd'),
    leg('used', 'PE-15', 'loaded 0x1000-0x2000 as initrd: section .initrd of uki'),
    leg('placed', 'XX-1', 'loaded 0x1000-0x2000 as initrd'),
  ])
    expect(complaint('x', bad)).not.toBeNull()
})
