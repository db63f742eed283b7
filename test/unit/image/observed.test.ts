import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { readObserved } from '../../../src/image/observed.ts'

const LOG = `EFI stub: Loaded initrd from LINUX_EFI_INITRD_MEDIA_GUID device path\r
input_data: 0x00000000035c02c8\r
input_len: 0x0000000000a0b1c2\r
output: 0x0000000001000000\r
output_len: 0x0000000002b5d5a0\r
kernel_total_size: 0x0000000002830000\r
needed_size: 0x0000000002c00000\r
trampoline_32bit: 0x000000000009d000\r
[    0.000000] Linux version 5.10.0-32-cloud-amd64 (builder) #1 SMP\r
[    0.000000] Command line: console=ttyS0 nokaslr \r
[    0.000000] RAMDISK: [mem 0x1b6cd000-0x1bb74fff]\r
`

test('reads what decompressor, stub and kernel print', () => {
  expect(readObserved(LOG)).toEqual({
    problems: [],
    facts: [
      { name: 'initrdFrom', value: 'LINUX_EFI_INITRD_MEDIA_GUID device path', line: 1 },
      { name: 'input_data', value: 0x35c02c8, line: 2 },
      { name: 'input_len', value: 0xa0b1c2, line: 3 },
      { name: 'output', value: 0x1000000, line: 4 },
      { name: 'output_len', value: 0x2b5d5a0, line: 5 },
      { name: 'kernel_total_size', value: 0x2830000, line: 6 },
      { name: 'needed_size', value: 0x2c00000, line: 7 },
      { name: 'trampoline_32bit', value: 0x9d000, line: 8 },
      { name: 'release', value: '5.10.0-32-cloud-amd64', line: 9 },
      { name: 'commandLine', value: 'console=ttyS0 nokaslr', line: 10 },
      { name: 'ramdiskStart', value: 0x1b6cd000, line: 11 },
      { name: 'ramdiskEnd', value: 0x1bb75000, line: 11 },
    ],
  })
  expect(readObserved('00900000-1ea9ffff : System RAM\n  14a00000-15801ef1 : Kernel code\n').facts).toEqual([
    { name: 'kernelCode', value: 0x14a00000, line: 2 },
  ])
})

test('a second boot in the log is not read, and what cannot be read is said with its line', () => {
  expect(readObserved(`${LOG}output: 0x2000000\ninput_len: 0x1\n`)).toMatchObject({
    facts: { length: 12 },
    problems: [{ id: 'second-boot', what: expect.stringContaining('line 12: output') as unknown }],
  })
  expect(readObserved('output: 0xffffffffffffffff\noutput_len: 0x10').problems).toMatchObject([
    { id: 'unreadable-line', what: 'line 1: output exceeds 52 bits' },
  ])
  expect(readObserved('hello').problems).toMatchObject([{ id: 'nothing-observed', fatal: true }])
  expect(readObserved(new Uint8Array(2 ** 24 + 1)).problems).toMatchObject([{ id: 'too-long', fatal: true }])
})

it('never throws', () => {
  const edits = fc.array(
    fc.tuple(fc.nat(LOG.length), fc.nat(4), fc.string({ unit: 'binary-ascii', maxLength: 4 })),
    { minLength: 1, maxLength: 6 },
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 400 }),
        edits.map(list =>
          list.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), LOG),
        ),
      ),
      input => {
        const { facts, problems } = readObserved(input)
        expect(facts.length === 0).toBe(problems.some(problem => problem.fatal))
      },
    ),
    { numRuns: 300 },
  )
})
