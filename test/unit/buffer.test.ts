/** Files in a Node.js Buffer, whose slice shares its memory: the library changes none of them. */
import { expect, test } from 'vitest'
import { bytesSource, type ByteSource } from '../../src/bytes/source.ts'
import { fileOffset } from '../../src/bytes/units.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import { kernel } from '../../src/vitest/builders.ts'
import { reportOn } from '../support/damaged-uki.ts'

const uki = buildUki({
  stub: STUB_FACTS['257.13'],
  sections: [
    { name: '.osrel', VirtualAddress: 0x30000, content: { text: 'ID=test\n' } },
    { name: '.cmdline', VirtualAddress: 0x40000, content: { text: 'console=ttyS0 nokaslr' } },
    { name: '.linux', VirtualAddress: 0x2000000, content: buildKernel(kernel('6.12.107-cloud')) },
    { name: '.initrd', VirtualAddress: 0x5000000, content: { initrd: 0x1000 } },
  ],
})

test('a boot leaves the file as it was, also one in a Buffer, and says of it what it says of others', () => {
  const bytes = new Uint8Array(uki.read(fileOffset(0), uki.size))
  const inBuffer = Buffer.from(bytes)
  const own: ByteSource = { size: uki.size, read: (at, length) => inBuffer.subarray(at, at + length) }
  const report = reportOn(bytesSource(bytes))
  for (const source of [bytesSource(inBuffer), own]) {
    expect(reportOn(source)).toEqual(report)
    expect(inBuffer.equals(bytes)).toBe(true)
  }
})
