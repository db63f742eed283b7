import { expect, test } from 'vitest'
import { STUB_FACTS, type StubName } from '../../../src/image/stub-facts.ts'
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
const gapsOf = (stub: StubName, changes: Parameters<typeof patched>[1]) =>
  reportOn(patched(whole(stub), changes)).gaps.map(({ clause }) => clause)

test.each(STUBS)('ST-98 an entry point beside that of build %s', stub => {
  for (const by of [-16, -1, 1, 16])
    expect(verdict(stub, { entry: was => was + by }), String(by)).toBe('unknown')
  expect(gapsOf(stub, { entry: was => was + 1 })).toContain('ST-98')
})

test('ST-98 of another build the entry point is a multiple of 16', () => {
  const facts = { ...STUB_FACTS['257.13'], identification: '#### LoaderInfo: systemd-stub 257.13-9 ####' }
  const source = uki({ stub: facts, kernel: '6.12.107-cloud', initrd: '3M' })
  expect(reportOn(source).verdict).toBe('clean')
  expect(reportOn(patched(source, { entry: was => was + 16 })).verdict).toBe('clean')
  expect(reportOn(patched(source, { entry: was => was + 1 })).gaps).toMatchObject([{ clause: 'ST-98' }])
})

test.each(STUBS)('ST-98 sections of build %s that lie elsewhere or are shorter', stub => {
  expect(verdict(stub, { '.data VS': 4 })).toBe('unknown')
  expect(verdict(stub, { '.data VA': 0x60000 })).toBe('unknown')
  expect(verdict(stub, { '.text VA': was => was + 0x80000 })).toBe('unknown')
})

test.each(['254.26', '257.13', '262.1'] as const)(
  'ST-98 pointers of build %s that are not relocated',
  stub => {
    expect(gapsOf(stub, { ImageBase: was => was + 0x1000 })).toEqual(['ST-98'])
    expect(gapsOf(stub, { 'relocations Size': 0 })).toEqual(['ST-98'])
    expect(gapsOf(stub, { 'relocations Size': 1 })).toEqual(['ST-98'])
    expect(gapsOf(stub, { 'relocations VA': 0, 'relocations Size': 0 })).toEqual(['ST-98'])
  },
)

test.each(['247.3', '252.39'] as const)('ST-98 build %s relocates itself, whatever ImageBase says', stub => {
  expect(verdict(stub, { ImageBase: 0x1000 })).toBe('clean')
  expect(verdict(stub, { 'relocations Size': 0 })).toBe('clean')
})

test.each(STUBS)('ST-99 raw data of two sections (%s)', stub => {
  for (const section of ['.data', '.cmdline', '.initrd', '.osrel'])
    expect(gapsOf(stub, { [`${section} RP`]: was => was - 0x200 }), section).toContain('ST-99')
  expect(verdict(stub, { '.data RP': 0 })).not.toBe('clean')
  // Sections whose raw data are not in the order of the table share none
  const swapped = { '.osrel RP': (was: number) => was + 0x200, '.cmdline RP': (was: number) => was - 0x200 }
  expect(gapsOf(stub, swapped)).not.toContain('ST-99')
})

test.each(['247.3', '252.39'] as const)(
  'ST-100 a command line that lost its end before it was copied (%s)',
  stub => {
    const source = uki({
      stub,
      kernel: KERNELS[stub],
      at: { ...AT, '.osrel': AT['.cmdline'] + 8 },
      order: ['.cmdline', '.osrel', '.linux', '.initrd'],
      gap: '64M',
      initrd: '3M',
      cmdline: 'console=ttyS0 root=LABEL=root',
    })
    const { verdict: said, findings } = reportOn(patched(source, { '.osrel VS': 256, '.osrel RS': 0 }))
    expect(said).toBe('damage')
    expect(findings).toContainEqual(expect.objectContaining({ rule: 'clobbered-object', object: 'cmdline' }))
  },
)

test('ST-100 what the file has after a NUL may be lost', () => {
  const image = (text: string) =>
    uki({
      stub: '247.3',
      kernel: '5.10.223-cloud',
      at: { ...AT, '.osrel': AT['.cmdline'] + 32 },
      order: ['.cmdline', '.osrel', '.linux', '.initrd'],
      gap: '64M',
      initrd: '3M',
      cmdline: text,
    })
  const text = 'console=ttyS0 root=LABEL=root'
  expect(reportOn(image(text.padEnd(64, '\0'))).verdict).toBe('clean')
  expect(reportOn(image(text.padEnd(33, '-').padEnd(64, '\0'))).verdict).toBe('damage')
})
