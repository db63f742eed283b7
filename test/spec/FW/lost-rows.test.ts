import { expect, test } from 'vitest'
import { machineFromMemmap } from '../../../src/boot/memmap-machine.ts'
import { check } from '../../../src/check.ts'
import { readMemmap } from '../../../src/image/memmap.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { KERNEL_FACTS } from '../../../src/image/x86/kernel-facts.ts'

const SHELL = [
  'BS_Data    0000000000000000-0000000000000FFF 0000000000000001 000000000000000F',
  'Available  0000000000001000-000000000009FFFF 000000000000009F 000000000000000F',
  'Available  0000000000100000-000000001FFFFFFF 000000000001FF00 000000000000000F',
]

test('FW-60 a run on a map of which a row is lost is neither clean nor refused', () => {
  const sections = [
    { name: '.cmdline', VirtualAddress: 0x30000, content: { text: 'console=ttyS0 nokaslr' } },
    {
      name: '.linux',
      VirtualAddress: 0x2000000,
      content: buildKernel(KERNEL_FACTS['debian-5.10.223-cloud'] ?? expect.fail('no such kernel')),
    },
    { name: '.initrd', VirtualAddress: 0x6000000, content: { initrd: 0x10000 } },
  ]
  const image = { name: 'uki.efi', source: buildUki({ stub: STUB_FACTS['247.3'], sections }) }
  const verdictOn = (rows: readonly string[]): unknown => {
    const { verdict, gaps } = check({
      image,
      machine: machineFromMemmap('map.txt', readMemmap(rows.join('\n'))),
    }).report
    return [verdict, gaps.map(({ clause }) => clause)]
  }
  expect(verdictOn(SHELL)).toEqual(['clean', []])
  const typo = 'Availab1e  0000000020000000-000000003FFFFFFF 0000000000020000 000000000000000F'
  expect(verdictOn([...SHELL, typo])).toEqual(['unknown', ['FW-61', 'FW-60']])
  const excerpt = 'Available  0000000000100000-0000000000FFFFFF 0000000000000F00 000000000000000F'
  expect(verdictOn([excerpt])).toEqual(['unknown', ['FW-61', 'FW-60']])
})
