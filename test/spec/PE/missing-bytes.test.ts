import { expect, test } from 'vitest'
import { STUB_FACTS, type StubName } from '../../../src/image/stub-facts.ts'
import { verdictSentence } from '../../../src/report/verdict.ts'
import { uki } from '../../../src/vitest/builders.ts'
import { patched, reportOn } from '../../support/damaged-uki.ts'

/** Every measured stub with a kernel of its time, far apart, so that nothing else goes wrong. */
const KERNELS: Readonly<Record<StubName, string>> = {
  '247.3': '5.10.223-cloud',
  '252.39': '6.1.170-cloud',
  '254.26': '6.12.107-cloud',
  '257.13': '6.12.107-cloud',
  '262.1': '6.12.107-cloud',
}
const STUBS = Object.keys(STUB_FACTS) as StubName[]
const AT = { '.osrel': 0x40000, '.cmdline': 0x50000, '.linux': 0x2000000 } as const
const whole = (stub: StubName) => uki({ stub, kernel: KERNELS[stub], at: AT, gap: '64M', initrd: '3M' })
const verdict = (stub: StubName, changes: Parameters<typeof patched>[1]) =>
  reportOn(patched(whole(stub), changes)).verdict

test.each(STUBS)('PE-57 the whole image of %s is clean', stub => {
  expect(verdict(stub, {})).toBe('clean')
})

test.each(STUBS)('PE-57 stub %s without its code does not run', stub => {
  for (const raw of [0, 1]) {
    const report = reportOn(patched(whole(stub), { '.text RS': raw }))
    expect([report.verdict, report.outcome.kind]).toEqual(['damage', 'undefined'])
    expect(verdictSentence(report)).toBe(
      'damage: bytes of the stub:.text are not in memory when the stub reads it; the boot ' +
        'does not get past that',
    )
  }
  const facts = STUB_FACTS[stub].sections.find(([name]) => name === '.text')
  expect(verdict(stub, { '.text RS': (facts?.[2] ?? 0) - 0x80 })).toBe('unknown')
})

test.each(STUBS)('PE-57 data that stub %s is linked with must be in the file', stub => {
  expect(verdict(stub, { '.data RS': 0 })).toBe('unknown')
  expect(verdict(stub, { '.data RS': 0x10 })).toBe('unknown')
})

test('PE-57 data that a stub writes may end in zeros', () => {
  const base = STUB_FACTS['257.13']
  const facts = {
    ...base,
    identification: '#### LoaderInfo: systemd-stub 257.13-9 ####',
    sections: base.sections.map(section =>
      section[0] === '.data' ? ([section[0], section[1], 0x900, ...section.slice(3)] as never) : section,
    ),
  }
  const source = uki({ stub: facts, kernel: '6.12.107-cloud', initrd: '3M' })
  expect(reportOn(source).verdict).toBe('clean')
})

test.each(STUBS)('PE-57 a kernel ends where its header says (%s)', stub => {
  const { verdict: said, findings } = reportOn(patched(whole(stub), { '.linux RS': was => was - 0x20000 }))
  expect(said).toBe('damage')
  expect(findings).toContainEqual(expect.objectContaining({ rule: 'clobbered-object', object: 'kernel' }))
  expect(verdict(stub, { '.linux RS': was => was - 0x200 })).toBe('damage')
  expect(verdict(stub, { '.linux RS': 0 })).not.toBe('clean')
})

test('PE-57 room to run after the bytes of a kernel is zeroed and its own', () => {
  const report = reportOn(patched(whole('257.13'), { '.linux VS': was => was + 0x100000 }))
  expect(report.verdict).toBe('clean')
})

test.each(STUBS)('PE-57 an initrd that the file does not have is damage (%s)', stub => {
  expect(verdict(stub, { '.initrd RS': 0 })).toBe('damage')
  expect(verdict(stub, { '.initrd RS': 0x1000 })).toBe('damage')
  expect(verdict(stub, { '.initrd RS': was => was - 0x2000 })).toBe('damage')
})

test('PE-57 a payload may end in zeros up to the next boundary of its section alignment', () => {
  expect(verdict('257.13', { '.initrd RS': was => was - 0x200, '.initrd VS': was => was })).toBe('clean')
  expect(verdict('257.13', { '.initrd RS': was => was - 0x201 })).toBe('damage')
})

test.each(STUBS)('PE-57 a command line that the file does not have is damage (%s)', stub => {
  expect(verdict(stub, { '.cmdline RS': 0 })).toBe('damage')
  expect(verdict(stub, { '.cmdline RS': 4 })).toBe('damage')
})
