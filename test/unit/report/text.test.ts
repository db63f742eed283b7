import { expect, test } from 'vitest'
import { formatFinding, formatReport, verdictLine, type Paint } from '../../../src/report/index.ts'
import type { Report } from '../../../src/report/model.ts'
import { examples } from '../hazard/examples.ts'
import { cleanReport, damagedReport } from './reports.ts'

test('a report with one damage', () => {
  expect(formatReport(damagedReport())).toMatchInlineSnapshot(`
    "damage: the initrd is overwritten by the kernel's EFI stub before the extracted
    kernel reads it
    found    1 damage

    damage  clobbered-object: initrd                                            HZ-2
      The kernel read 128.0 KiB of initrd at 0x1140000; 12.5 KiB (0x3200 bytes) of
      it (offsets 0x0-0x3200) were overwritten with bytes of kernel.

      placed       #3  firmware  PE-15  loaded 0x1140000-0x1160000 as initrd: load
                                        the sections in table order
      overwritten  #4  efi-stub  EP-6   zeroed 0x1140000-0x1143200 as kernel from
                                        its offset 0x40000 on: clear the .bss
      used         #5  kernel    ZO-16  read 0x1140000-0x1160000 as initrd: read the
                                        initrd as announced

         0x1100000  kernel  256.0 KiB
      >  0x1140000  initrd  128.0 KiB  now: kernel 12.5 KiB, initrd 115.5 KiB
         0x1160000

      why   efi-stub zeroed 0x1140000-0x1143200 as kernel from its offset 0x40000 on
            (EP-6); only 256.0 KiB (0x40000 bytes) of kernel were loaded, and the
            memory it uses past them was never allocated
      do    .initrd must start at or beyond .linux + 0x44000, and what follows it
            after that; it starts at .linux + 0x40000. Or start the kernel in memory
            of its own: with a stub that copies it first, or through its PE entry
      more  stubsim explain clobbered-object

    image    uki.efi, 388.0 KiB (397312 bytes)
    machine  profile ovmf-2022.11-q35, 64.0 MiB RAM
    stub     247.3: enters the kernel in place (systemd-stub/S2); certain
    kernel   no version text: unpacks itself in the EFI stub (linux/E5); as given
    outcome  the extracted kernel starts at 0x1600000 with its boot_params at
             0x1e000

    more     13 facts, 1 assumption: --details prints them
    "
  `)
})

test('an era in doubt, a refusal, problems of files and other candidates are told', () => {
  const report = cleanReport({
    verdict: 'refused',
    outcome: {
      kind: 'refused',
      refusal: {
        by: 'firmware',
        status: 'EFI_LOAD_ERROR',
        clause: 'PE-9',
        why: 'section .initrd ends past SizeOfImage',
        message: 'Load Error',
      },
    },
    kernel: {
      id: null,
      title: '',
      version: '4.4.1',
      evidence: ['kernel_version says 4.4.1'],
      certainty: 'none',
    },
    facts: {},
    snapshots: [],
    problems: [
      {
        file: 'uki.efi',
        id: 'section-outside-file',
        at: 0x1f8,
        what: 'section .initrd has raw data up to 0x9000',
      },
      { file: 'map.txt', id: 'empty', at: null, what: 'no memory map in it' },
    ],
    alternatives: [
      damagedReport(),
      cleanReport({
        stub: { id: null, title: '', version: null, evidence: [], certainty: 'none' },
        kernel: { id: null, title: '', version: null, evidence: [], certainty: 'several' },
      }),
    ],
  })
  expect(formatReport(report)).toMatchInlineSnapshot(`
    "refused: the firmware refuses to go on: section .initrd ends past SizeOfImage

    image    uki.efi, 388.0 KiB (397312 bytes)
    machine  profile ovmf-2022.11-q35, 64.0 MiB RAM
    stub     247.3: enters the kernel in place (systemd-stub/S2); certain
    kernel   4.4.1: not in the tables
    outcome  refused by firmware with EFI_LOAD_ERROR (PE-9): section .initrd ends
             past SizeOfImage
             it prints: Load Error

    files
      uki.efi at 0x1f8: section .initrd has raw data up to 0x9000
      (section-outside-file)
      map.txt: no memory map in it (empty)

    other candidates
      systemd-stub/S2  linux/E5       verdict  damage: 1 damage, 1 assumption
      no stub era      no kernel era  verdict  clean

    more     0 facts, 0 assumptions: --details prints them
    "
  `)
})

test.each([
  [
    cleanReport(),
    'outcome  the extracted kernel starts at 0x1600000 with its boot_params at\n         0x1e000',
  ],
  [
    cleanReport({ outcome: { kind: 'undefined', since: 7, why: 'the entry point was overwritten' } }),
    'outcome  undefined since event #7: the entry point was overwritten',
  ],
  [
    cleanReport({ outcome: { kind: 'unknown', gap: { clause: 'ST-1', why: 'no era is known' } } }),
    'outcome  unknown: the model ends here (ST-1): no era is known',
  ],
  [
    cleanReport({
      outcome: {
        kind: 'refused',
        refusal: {
          by: 'efi-stub',
          status: 'EFI_LOAD_ERROR',
          clause: 'EP-36',
          why: 'corrupt',
          message: 'Decompression failed: x\n -- System halted\u001b',
        },
      },
    }),
    'outcome  refused by efi-stub with EFI_LOAD_ERROR (EP-36): corrupt\n         it ' +
      'prints: Decompression failed: x\n                    -- System halted\\x1b',
  ],
  [
    cleanReport({
      outcome: {
        kind: 'refused',
        refusal: { by: 'stub', status: 'EFI_NOT_FOUND', clause: 'ST-4', why: 'no .linux', message: null },
      },
    }),
    'outcome  refused by stub with EFI_NOT_FOUND (ST-4): no .linux\n         it prints nothing',
  ],
])('outcome %#', (report, expected) => {
  expect(formatReport(report)).toContain(`\n${expected}\n`)
})

test('gaps are listed with their clauses, and the verdict line counts what it rests on', () => {
  const gaps = [{ clause: 'ST-1', why: 'no era is known' }] as const
  const text = formatReport(cleanReport({ verdict: 'unknown', gaps }))
  expect(text).toMatch(
    /^unknown: no era is known\nfound {4}1 gap of the model\n\ngaps\n {2}ST-1 {3}no era is known\n/,
  )
  expect(verdictLine(cleanReport())).toBe('verdict  clean')
  expect(
    verdictLine(
      cleanReport({
        gaps: [...gaps, ...gaps],
        assumptions: [
          { clause: 'FW-1', what: 'a' },
          { clause: 'FW-2', what: 'b' },
        ],
        advice: examples['section-unaligned']?.() ?? [],
        findings: [...(examples['bss-not-cleared']?.() ?? []), ...(examples['address-truncated']?.() ?? [])],
      }),
    ),
  ).toBe('verdict  clean: 2 breaches, 1 advice, 2 gaps of the model, 2 assumptions')
})

test('advice stands in the report without a map', () => {
  expect(formatReport(cleanReport({ advice: examples['section-unaligned']?.() ?? [] }))).toContain(
    '\nadvice  section-unaligned: initrd',
  )
})

test('an initrd that is whole is said so', () => {
  expect(formatReport(cleanReport(), { details: true })).toContain('initrdDamage  none')
})

test('colour is a matter of the caller, and changes no other character', () => {
  const paint: Paint = (text, tone) => `<${tone}>${text}</${tone}>`
  const painted = formatReport(damagedReport(), { paint })
  expect(painted).toMatch(/^<damage>damage<\/damage>: the initrd is overwritten/)
  expect(painted).toContain('<damage>damage  clobbered-object: initrd</damage>')
  expect(painted.replace(/<\/?[a-z]+>/g, '')).toBe(formatReport(damagedReport()))
})

test('prose and legs are wrapped at the width', () => {
  const lines = formatReport(damagedReport(), { width: 60 }).split('\n')
  expect(lines).toContain('  do    .initrd must start at or beyond .linux + 0x44000,')
  // The memory around a finding is a table
  expect(lines.filter(text => text.length > 60 && !/^ {2}[ >] {2}0x/.test(text))).toEqual([])
})

test('a finding without object is named by its rule', () => {
  const [finding] = examples['write-outside-allocation']?.() ?? []
  expect(finding === undefined ? '' : formatFinding(finding).split('\n')[0]).toMatch(
    /^breach {2}write-outside-allocation +HZ-9$/,
  )
})

test('who laid out the image: one tool with its evidence, several without, or nobody that is known', () => {
  const ukify = {
    id: 'ukify-257.3',
    title: 'ukify 257.3 and later',
    evidence: ['Sections follow in its order.'],
  }
  const by = (builder: Report['builder'], details = true): string | undefined =>
    formatReport(cleanReport({ builder }), { details, width: 120 })
      .split('\n')
      .find(line => line.startsWith('built by'))
  expect(by({ certainty: 'certain', candidates: [ukify] })).toBe(
    'built by ukify 257.3 and later (Sections follow in its order.)',
  )
  expect(by({ certainty: 'several', candidates: [ukify, { ...ukify, title: 'mkinitcpio v36' }] })).toBe(
    'built by one of ukify 257.3 and later; mkinitcpio v36, which have the same layout',
  )
  expect(
    by({ certainty: 'several', candidates: [ukify, { ...ukify, title: 'mkinitcpio v36' }] }, false),
  ).toBe('built by ukify 257.3 and later, or another tool with the same layout')
  expect(by({ certainty: 'unknown', candidates: [] })).toBe('built by no known tool')
  expect(by(null)).toBeUndefined()
})
