import { expect, test } from 'vitest'
import { stubCandidates } from '../../../src/boot/identify.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildUki } from '../../../src/image/synthetic.ts'
import { viewUki } from '../../../src/image/uki.ts'
import { doubts, in257, S2, section } from '../../support/stub-era-runs.ts'
import { BASE, CMDLINE, runStub, sectionsOf, type StubSetting } from '../../support/stub-run.ts'

test('ST-1 foreign bytes at the entry point end the run as undefined', () => {
  expect(
    runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x4008, 'x') }) }).outcome,
  ).toMatchObject({ kind: 'undefined' })
  expect(
    runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x4010, 'x') }) }).outcome,
  ).toBeNull()
})

test('ST-1 an entry point outside the sections of the stub is a gap', () => {
  const away: StubSetting = { edit: { AddressOfEntryPoint: 0x30000 } }
  expect(runStub(S2, away).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-1' } })
  const [, VirtualAddress = 0, VirtualSize = 0] =
    STUB_FACTS['247.3'].sections.find(([name]) => name === '.text') ?? []
  const behind: StubSetting = { edit: { AddressOfEntryPoint: VirtualAddress + VirtualSize } }
  expect(runStub(S2, behind).outcome).toMatchObject({ kind: 'unknown', gap: { clause: 'ST-1' } })
})

test('ST-2 foreign bytes elsewhere in the stub are a doubt that names them, and the run goes on', () => {
  const run = runStub(S2, { sections: sectionsOf({ '.osrel': section('.osrel', 0x5000, 'ID=x') }) })
  expect(run.handOff).not.toBeNull()
  expect(run.notes.doubts).toEqual([
    {
      clause: 'ST-2',
      why:
        'stub:.text was overwritten at 0x10005000-0x10005004 by uki:.osrel: whether the ' +
        'stub needs these bytes is not modelled',
    },
  ])
  expect(doubts(runStub(S2))).toEqual([])
})

test('ST-3 payload inside a writable section of the stub is overwritten before it is read', () => {
  const run = in257({ sections: sectionsOf({ '.cmdline': section('.cmdline', 0x17000, CMDLINE) }) })
  expect(
    run.recorder.events.filter(event => event.op === 'read' && event.object === 'cmdline'),
  ).toMatchObject([
    {
      deviations: [
        {
          kind: 'clobbered',
          range: rangeAt(BASE + 0x17000, CMDLINE.length),
          found: { whose: { object: 'stub:.data', at: 0 } },
        },
      ],
    },
  ])
  expect(doubts(run)).toEqual(['ST-2', 'ST-17'])
})

test('ST-86 an image for i386 is a gap, whatever release is asked for', () => {
  const built = (Machine: number) =>
    viewUki(
      parsePe(buildUki({ stub: STUB_FACTS['247.3'], sections: [], coff: { Machine } })).pe ??
        expect.fail('no PE'),
    )
  for (const choice of [undefined, '247.3', '262.1'])
    expect(stubCandidates(built(0x14c), choice), String(choice)).toMatchObject([
      { era: null, gap: { clause: 'ST-86' }, certainty: 'none' },
    ])
  expect(stubCandidates(built(0x8664))).toMatchObject([{ era: { id: 'systemd-stub/S2' }, gap: null }])
})
