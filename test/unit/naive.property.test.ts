/** `clean` against a second opinion that shares no code with the model (test/support/naive.ts). */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildMachine, type MachineInput } from '../../src/boot/machine.ts'
import { prepareMachine } from '../../src/boot/prepare.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { STUB_FACTS, type StubName } from '../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../src/image/synthetic.ts'
import type { Report } from '../../src/report/model.ts'
import { kernel, memoryMap } from '../../src/vitest/builders.ts'
import { FIELDS, patched, reportOn, type Field } from '../support/damaged-uki.ts'
import { depth } from '../support/depth.ts'
import { objections, type Known } from '../support/naive.ts'

/** 10⁵ on request: NAIVE_RUNS=100000, other ones with NAIVE_SEED. */
const RUNS = Number(process.env['NAIVE_RUNS'] ?? depth(400, 3000))
const MiB = 2 ** 20
const STUBS = Object.keys(STUB_FACTS) as StubName[]

const KERNELS = ['5.10.223-cloud', '6.1.170-cloud', '6.12.107-cloud', '7.2.13-cloud'].map(name => {
  const facts = kernel(name)
  const { hdr, geometry, output_len } = facts
  const setup = (hdr.setup_sects + 1) * 512
  return {
    name,
    file: buildKernel(facts),
    known: {
      length: setup + hdr.syssize * 16,
      output: output_len,
      clears: name.startsWith('5.') ? null : { from: setup + geometry._bss, to: setup + geometry._ebss },
    },
  }
})

const machines = [
  ...[256, 512, 2048].map(ram => buildMachine({ profile: 'ovmf-2022.11-q35-4M', ram: ram * MiB })),
  buildMachine({ profile: 'ovmf-2025.02-q35-4M', ram: 512 * MiB }),
  buildMachine({ map: memoryMap(['EfiConventionalMemory', '1M', '640M']) }),
  buildMachine({
    map: memoryMap(
      ['EfiConventionalMemory', 0x1000, 0xa0000],
      ['EfiConventionalMemory', '1M', '300M'],
      ['EfiBootServicesData', '300M', '301M'],
      ['EfiACPIReclaimMemory', '301M', '302M'],
      ['EfiConventionalMemory', '302M', '420M'],
      ['EfiReservedMemoryType', '420M', '422M'],
    ),
  }),
  buildMachine({ map: memoryMap(['EfiConventionalMemory', '16M', '640M']) }),
  buildMachine({ map: memoryMap(['EfiConventionalMemory', 2 ** 52 - 2 ** 30, 2 ** 52]) }),
].map(input => ({ input, prepared: prepareMachine(input) }))

const PAYLOAD = ['.osrel', '.cmdline', '.linux', '.initrd'] as const

/** An image as somebody may lay it out: in any order, with any room between, the first at a round place. */
const laidOut = fc.record({
  stub: fc.nat({ max: STUBS.length - 1 }),
  kernel: fc.nat({ max: KERNELS.length - 1 }),
  machine: fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 5 }) },
    { weight: 1, arbitrary: fc.nat({ max: machines.length - 1 }) },
  ),
  order: fc.shuffledSubarray([...PAYLOAD], { minLength: 4 }),
  table: fc.option(fc.shuffledSubarray([...PAYLOAD], { minLength: 4 }), { nil: null }),
  start: fc.constantFrom(0x29000, 0x30000, 0x40000, 0x2000000),
  room: fc.array(fc.constantFrom(0, 0, 0x1000, 0x10000, 0x100000, 0x1000000, 0x3000000), {
    minLength: 4,
    maxLength: 4,
  }),
  initrd: fc.constantFrom(0x1000, 0x12345, 3 * MiB, 20 * MiB),
})

/** A number in the headers that is changed, and how. */
const change = fc.record({
  where: fc.oneof(
    fc.constant('entry'),
    fc
      .tuple(
        fc.constantFrom('.text', '.data', '.reloc', '.rodata', ...PAYLOAD, ...PAYLOAD),
        fc.constantFrom(...(Object.keys(FIELDS) as Field[])),
      )
      .map(parts => parts.join(' ')),
  ),
  how: fc.oneof(
    fc.constantFrom(0, 1, 0x10, 0x200, 0x1000, 0x5000, 0x100000).map(to => ({ to })),
    fc
      .constantFrom(
        -0x100000,
        -0x10000,
        -0x1000,
        -0x200,
        -0x10,
        -1,
        1,
        0x10,
        0x200,
        0x1000,
        0x10000,
        0x800000,
      )
      .map(by => ({ by })),
  ),
})

interface Case {
  readonly source: ByteSource
  readonly stub: StubName
  readonly kernel: (typeof KERNELS)[number]
}

function imageOf(setting: typeof laidOut extends fc.Arbitrary<infer T> ? T : never): Case {
  const stub = STUBS[setting.stub] as StubName
  const chosen = KERNELS[setting.kernel] as (typeof KERNELS)[number]
  const contents = {
    '.osrel': { text: 'ID=test\n' },
    '.cmdline': { text: 'console=ttyS0 nokaslr' },
    '.linux': chosen.file,
    '.initrd': { initrd: setting.initrd },
  }
  const sizes = { '.osrel': 8, '.cmdline': 21, '.linux': chosen.file.size, '.initrd': setting.initrd }
  let next = setting.start
  const placed = new Map(
    setting.order.map((name, i) => {
      const at = next
      next = Math.ceil((at + sizes[name]) / 0x1000) * 0x1000 + (setting.room[i] ?? 0)
      return [name, at] as const
    }),
  )
  const sections = (setting.table ?? setting.order).map(name => ({
    name,
    VirtualAddress: placed.get(name) ?? 0,
    content: contents[name],
  }))
  return { source: buildUki({ stub: STUB_FACTS[stub], sections }), stub, kernel: chosen }
}

const hasSection = (stub: StubName, where: string): boolean => {
  const [name = ''] = where.split(' ')
  return (
    name === 'entry' ||
    (PAYLOAD as readonly string[]).includes(name) ||
    STUB_FACTS[stub].sections.some(([its]) => its === name)
  )
}

function knownOf({ stub, kernel: { known } }: Case, { map }: MachineInput): Known {
  const { optional, sections } = STUB_FACTS[stub]
  return {
    stub: {
      entry: optional.AddressOfEntryPoint,
      sections: sections
        .filter(([name]) => name !== '.sbat')
        .map(([name, VA, VS, , RS]) => ({ name, VA, VS, RS })),
    },
    // 247.3 and its kernels look at the setup header, never at the boot sector before it
    kernel: { ...known, readFrom: stub === '247.3' ? 0x1f1 : 0 },
    counts: stub === '257.13' || stub === '262.1' ? 'first' : 'last',
    map: map.map(({ type, range }) => ({ type, from: range.start, to: range.end })),
  }
}

function saidBy({ facts }: Report) {
  const { handOff, ...rest } = facts
  return {
    ...rest,
    ...(handOff === undefined ? {} : { entryMethod: handOff.entryMethod, kernelImage: handOff.kernelImage }),
  }
}

test(`an image of which anybody can see that it is damaged is never clean (${String(RUNS)} images)`, () => {
  const counts = { clean: 0, other: 0, refuted: 0 }
  fc.assert(
    fc.property(laidOut, fc.array(change, { maxLength: 2 }), (setting, changes) => {
      const made = imageOf(setting)
      const source = patched(
        made.source,
        Object.fromEntries(
          changes
            .filter(({ where }) => hasSection(made.stub, where))
            .map(({ where, how }) => [
              where,
              'to' in how ? how.to : (now: number) => (now + how.by) % 2 ** 32,
            ]),
        ),
      )
      const machine = machines[setting.machine] as (typeof machines)[number]
      const report = reportOn(source, { machine: machine.prepared })
      const against = objections(source, knownOf(made, machine.input), saidBy(report))
      if (report.verdict !== 'clean') {
        counts.other++
        if (against.length > 0) counts.refuted++
        return
      }
      counts.clean++
      expect(against).toEqual([])
    }),
    { numRuns: RUNS, seed: Number(process.env['NAIVE_SEED'] ?? 20261130) },
  )
  expect(counts.clean).toBeGreaterThan(RUNS / 10)
  expect(counts.other).toBeGreaterThan(RUNS / 10)
  expect(counts.refuted).toBeGreaterThan(RUNS / 10)
}, 14_400_000)
