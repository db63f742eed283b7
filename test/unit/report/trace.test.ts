import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { formatTrace } from '../../../src/report/index.ts'
import { bssClearedOverInitrd, INITRD, KERNEL, loaded } from '../hazard/recordings.ts'

test('steps stand above their events, what was lost and what deviates below them', () => {
  expect(formatTrace(bssClearedOverInitrd().recorder)).toMatchInlineSnapshot(`
    "#0 firmware: RAM 0x0-0x4000000
    #1 firmware: allocated 0x1000000-0x1200000 as uki
    PE-15  firmware: load the sections in table order
      #2 loaded 0x1100000-0x1140000 as kernel
      #3 loaded 0x1140000-0x1160000 as initrd
    EP-6  efi-stub: clear the .bss
      #4 zeroed 0x1140000-0x1143200 as kernel from its offset 0x40000 on
         - 0x1140000-0x1143200 was initrd
    ZO-16  kernel: read the initrd as announced
      #5 reads 0x1140000-0x1160000 as initrd
         ! 0x1140000-0x1143200 clobbered: offset 0x0 finds kernel
    "
  `)
})

test('steps inside steps, every kind of event, and steps without events', () => {
  const { memory, recorder } = loaded()
  recorder.as('stub', () => {
    recorder.step('ST-1', 'boot', () => {
      recorder.step('ST-2', 'look for the payload', () =>
        memory.readAs(rangeAt(KERNEL + 0x10, 0x10), 'kernel', { at: 0x10, as: 'code' }),
      )
      memory.copy(phys(KERNEL + 0x8), rangeAt(KERNEL, 0x10))
      memory.make(range(0x11fff00, 0x1200100), 'x')
      memory.zero(rangeAt(INITRD + 0x20, 0x10), null)
      memory.readAs(rangeAt(INITRD, 0x30), 'initrd', { all: true })
      memory.readAs(rangeAt(0x5000000, 0x10), 'initrd')
      memory.release(rangeAt(0x1000000, 0x1000), 'uki')
      recorder.append({
        op: 'contract',
        clause: 'HO-1',
        kept: true,
        what: 'the window is free',
        range: null,
        found: [],
      })
      recorder.append({
        op: 'contract',
        clause: 'HO-2',
        kept: false,
        what: 'the .bss is zero',
        range: null,
        found: [],
      })
    })
  })
  recorder.step('ST-9', 'nothing to do', () => undefined)
  expect(formatTrace(recorder).split('\n').slice(5)).toMatchInlineSnapshot(`
    [
      "ST-1  stub: boot",
      "  ST-2  stub: look for the payload",
      "    #4 runs 0x1100010-0x1100020 as kernel + 0x10",
      "  #5 copied 0x1100000-0x1100010 to 0x1100008-0x1100018",
      "     - 0x1100008-0x1100018 was kernel + 0x8",
      "  #6 wrote 0x11fff00-0x1200100 as x",
      "     - 0x1200000-0x1200100 is not part of any allocation",
      "  #7 zeroed 0x1140020-0x1140030",
      "     - 0x1140020-0x1140030 was initrd + 0x20",
      "  #8 reads 0x1140000-0x1140030 as initrd",
      "     ! 0x1140020-0x1140030 clobbered: offset 0x20 finds zeroes",
      "     ! 0x1ffd0 bytes of initrd were not read",
      "  #9 reads 0x5000000-0x5000010 as initrd",
      "     ! 0x5000000-0x5000010 outside: offset 0x0 finds no RAM",
      "  #10 freed 0x1000000-0x1001000 as uki",
      "  #11 HO-1 kept: the window is free",
      "  #12 HO-2 broken: the .bss is zero",
      "ST-9  firmware: nothing to do",
      "",
    ]
  `)
})

test('an empty recording', () => {
  expect(formatTrace(new Recorder())).toBe('nothing happened\n')
})

test('of an event with many ranges the trace counts them, and with `all` it names each of them', () => {
  const { memory, recorder } = loaded()
  const first = rangeAt(0x3000000, 0x1000)
  const second = rangeAt(0x3004000, 0x2000)
  recorder.step('FW-3', 'memory as the firmware leaves it', () => {
    memory.occupy([first, second], 'firmware:boot')
    memory.occupy([rangeAt(0x3010000, 0x1000)], 'firmware:runtime')
  })
  memory.amend([
    { at: phys(KERNEL), bytes: Uint8Array.of(1, 2) },
    { at: phys(KERNEL + 8), bytes: Uint8Array.of(3) },
  ])
  memory.release([first, second], 'firmware:boot')
  const lines = [
    'FW-3  firmware: memory as the firmware leaves it',
    '  #4 2 ranges of 0x3000000-0x3006000 are firmware:boot',
    '  #5 wrote 0x3010000-0x3011000 as firmware:runtime from its offset 0x3010000 on',
    '#6 firmware: adjusted 2 ranges of 0x1100000-0x1100009 in place',
    '#7 firmware: freed 2 ranges of 0x3000000-0x3006000 as firmware:boot',
    '',
  ]
  expect(formatTrace(recorder).split('\n').slice(5)).toEqual(lines)
  expect(formatTrace(recorder, { all: true }).split('\n').slice(5)).toEqual([
    ...lines.slice(0, 2),
    '     0x3000000-0x3001000',
    '     0x3004000-0x3006000',
    ...lines.slice(2, 4),
    '   0x1100000-0x1100002',
    '   0x1100008-0x1100009',
    ...lines.slice(4, 5),
    '   0x3000000-0x3001000',
    '   0x3004000-0x3006000',
    '',
  ])
})
