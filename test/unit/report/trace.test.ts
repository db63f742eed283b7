import { expect, test } from 'vitest'
import { range, rangeAt } from '../../../src/bytes/range.ts'
import { phys } from '../../../src/bytes/units.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { formatTrace } from '../../../src/report/index.ts'
import { bssClearedOverInitrd, INITRD, KERNEL, loaded } from '../hazard/recordings.ts'

test('steps stand above their events, what was lost and what deviates below them', () => {
  expect(formatTrace(bssClearedOverInitrd().recorder)).toMatchInlineSnapshot(`
    "#0 firmware: RAM 0x0-0x4000000
    #1 firmware: 0x1000000-0x1200000 handed out as uki
    PE-6  firmware: load the sections in table order
      #2 loaded 0x1100000-0x1140000 as kernel
      #3 loaded 0x1140000-0x1160000 as initrd
    EP-7  efi-stub: clear the .bss
      #4 zeroed 0x1140000-0x1143200 as kernel from its offset 0x40000 on
         - 0x1140000-0x1143200 was initrd
    ZO-9  kernel: read the initrd as announced
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
      "     - 0x1200000-0x1200100 is part of no allocation",
      "  #7 zeroed 0x1140020-0x1140030",
      "     - 0x1140020-0x1140030 was initrd + 0x20",
      "  #8 reads 0x1140000-0x1140030 as initrd",
      "     ! 0x1140020-0x1140030 clobbered: offset 0x20 finds zeroes",
      "     ! 0x1ffd0 bytes of initrd were left out",
      "  #9 reads 0x5000000-0x5000010 as initrd",
      "     ! 0x5000000-0x5000010 outside: offset 0x0 finds no RAM",
      "  #10 0x1000000-0x1001000 given back as uki",
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

test('a long row of events about memory of the firmware is one line', () => {
  const { memory, recorder } = loaded()
  recorder.step('FW-1', 'the firmware has memory of its own', () => {
    for (let i = 0; i < 4; i++) {
      memory.claim(rangeAt(0x3000000 + 0x1000 * i, 0x1000), 'firmware:boot')
      memory.make(rangeAt(0x3000000 + 0x1000 * i, 0x1000), 'firmware:boot', 0x1000 * i)
    }
    memory.make(rangeAt(0x3010000, 0x1000), 'x')
  })
  memory.release(rangeAt(0x3000000, 0x1000), 'firmware:boot')
  expect(formatTrace(recorder).split('\n').slice(5)).toEqual([
    'FW-1  firmware: the firmware has memory of its own',
    '  #4-#11 firmware: 8 events about memory of the firmware',
    '  #12 wrote 0x3010000-0x3011000 as x',
    '     - 0x3010000-0x3011000 is part of no allocation',
    '#13 firmware: 0x3000000-0x3001000 given back as firmware:boot',
    '',
  ])
})
