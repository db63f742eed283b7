/** Reports for the tests of the renderers. */
import { rangeAt } from '../../../src/bytes/range.ts'
import { byteCount, phys } from '../../../src/bytes/units.ts'
import { judge } from '../../../src/hazard/registry.ts'
import type { MapLine, Report } from '../../../src/report/model.ts'
import { bssClearedOverInitrd, INITRD, INITRD_SIZE, KERNEL, KERNEL_SIZE } from '../hazard/recordings.ts'

export const line = (start: number, length: number, object: string, at = 0, what = ''): MapLine => ({
  range: rangeAt(start, length),
  object,
  at,
  what,
})

/** A late kernel, entered in place, cleared its .bss over the initrd. */
export function damagedReport(changes: Partial<Report> = {}): Report {
  return {
    schema: 1,
    version: '0.1.0',
    image: { name: 'uki.efi', size: 0x61000 },
    machine: { what: 'profile ovmf-2022.11-q35', ramBytes: 0x4000000 },
    builder: null,
    verdict: 'damage',
    outcome: {
      kind: 'arrived',
      at: { entry: phys(0x1600000), kernel: phys(0x1600000), bootParams: phys(0x1e000) },
    },
    stub: {
      id: 'systemd-stub/S2',
      title: 'enters the kernel in place',
      version: '247.3',
      evidence: ['LoaderInfo names systemd-stub 247.3'],
      certainty: 'certain',
    },
    kernel: {
      id: 'linux/E5',
      title: 'unpacks itself in the EFI stub',
      version: null,
      evidence: [],
      certainty: 'given',
    },
    facts: {
      imageBase: phys(0x1000000),
      sections: [
        { name: '.linux', address: phys(KERNEL), size: KERNEL_SIZE, intact: true },
        { name: '.initrd', address: phys(INITRD), size: INITRD_SIZE, intact: false },
      ],
      handOff: { entryMethod: 'efi-handover', kernelImage: phys(KERNEL), entry: phys(KERNEL + 0x390) },
      bootParams: phys(0x1e000),
      cmdLinePtr: phys(0x9f000),
      commandLine: 'console=ttyS0 nokaslr',
      ramdiskImage: phys(INITRD),
      ramdiskSize: byteCount(INITRD_SIZE),
      ramdiskImageFromStub: phys(INITRD),
      compressedImage: phys(KERNEL),
      decompressedKernel: phys(0x1600000),
      initrdDamage: [{ from: 0, to: 0x3200 }],
    },
    findings: judge(bssClearedOverInitrd().recorder),
    assumptions: [{ clause: 'FW-1', what: 'nothing else was loaded before' }],
    gaps: [],
    snapshots: [
      {
        point: 'stub-entry',
        lines: [
          line(0x1000000, 0x100000, 'free'),
          line(KERNEL, KERNEL_SIZE, 'kernel'),
          line(INITRD, INITRD_SIZE, 'initrd'),
        ],
      },
      {
        point: 'arrival',
        lines: [
          line(KERNEL, KERNEL_SIZE + 0x3200, 'kernel'),
          line(INITRD + 0x3200, INITRD_SIZE - 0x3200, 'initrd', 0x3200),
        ],
      },
    ],
    advice: [],
    problems: [],
    alternatives: [],
    ...changes,
  }
}

/** The same without any damage. */
export function cleanReport(changes: Partial<Report> = {}): Report {
  return damagedReport({
    verdict: 'clean',
    findings: [],
    assumptions: [],
    facts: { initrdDamage: [] },
    ...changes,
  })
}
