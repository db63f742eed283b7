import { expect, test } from 'vitest'
import { bytesSource, sliceSource, sparseSource, type ByteSource } from '../../../src/bytes/source.ts'
import { STUB_FACTS, type StubName } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { kernel } from '../../../src/vitest/builders.ts'
import { readKernelFile } from '../../../src/kernel/x86/file.ts'
import { reportOn } from '../../support/damaged-uki.ts'
import { bench, kernelNamed } from '../../support/kernel-bench.ts'
import { FACTS_2 } from '../../support/kernels.ts'

const KERNELS: Readonly<Record<StubName, string>> = {
  '247.3': '5.10.223-cloud',
  '252.39': '6.1.170-cloud',
  '254.26': '6.12.107-cloud',
  '257.13': '6.12.107-cloud',
  '262.1': '7.2.13-cloud',
}
const word = (value: number): ByteSource => bytesSource(new Uint8Array(Uint32Array.of(value).buffer))

test.each(Object.entries(KERNELS) as [StubName, string][])(
  'EP-56 a kernel file that its headers contradict is not clean (%s, %s)',
  (stub, name) => {
    const facts = kernel(name)
    const { hdr, pe } = facts
    const whole = buildKernel(facts)
    const stated = (hdr.setup_sects + 1) * 512 + hdr.syssize * 16
    const verdict = (content: ByteSource): string =>
      reportOn(
        buildUki({
          stub: STUB_FACTS[stub],
          sections: [
            { name: '.cmdline', VirtualAddress: 0x50000, content: { text: 'nokaslr' } },
            { name: '.linux', VirtualAddress: 0x2000000, content },
            { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 3_000_000 } },
          ],
        }),
      ).verdict
    const with32 = (at: number, value: number): ByteSource =>
      sparseSource(whole.size, [
        { at: 0, source: whole },
        { at, source: word(value) },
      ])
    expect(verdict(whole)).toBe('clean')
    for (const cut of [0x200, 0x20000, 0x400000])
      expect(verdict(sliceSource(whole, 0, stated - cut)), String(cut)).not.toBe('clean')
    expect(verdict(with32(0x1f4, hdr.syssize + 0x2000))).not.toBe('clean')
    expect(verdict(with32(0x24c, hdr.payload_length + 0x200000))).not.toBe('clean')
    expect(verdict(with32(0x248, hdr.payload_offset + 0x200000))).not.toBe('clean')
    expect(verdict(with32(0x264, hdr.handover_offset + 0x2000000))).not.toBe('clean')
    expect(verdict(with32(0x260, 0x1000))).not.toBe('clean')
    const isHandover = stub === '247.3'
    for (const off of [-64, -16, -1, 1, 8])
      if (isHandover) expect(verdict(with32(0x264, hdr.handover_offset + off)), String(off)).not.toBe('clean')
    if (isHandover) return
    const entry = pe.e_lfanew + 24 + 16
    for (const at of [0, 0x200, (hdr.setup_sects + 1) * 512 + hdr.payload_offset + 0x1000])
      expect(verdict(with32(entry, at)), String(at)).not.toBe('clean')
    for (const off of [-64, -16, -1, 1, 8])
      expect(verdict(with32(entry, pe.optional.AddressOfEntryPoint + off)), String(off)).not.toBe('clean')
  },
)

test('EP-56 an init_size below what the payload becomes is named', () => {
  const { source } = kernelNamed('debian-5.10.223-cloud')
  const said = (initSize: number): string[] => {
    const on = bench()
    readKernelFile(on.machine, {
      object: 'kernel',
      source: sparseSource(source.size, [
        { at: 0, source },
        { at: 0x260, source: word(initSize) },
      ]),
    })
    return on.notes.doubts.filter(({ clause }) => clause === 'EP-56').map(({ why }) => why)
  }
  const length = FACTS_2.output_len
  expect(said(length)).toEqual([])
  expect(said(length - 1)).toEqual([expect.stringContaining('has no room for the kernel') as string])
})
