import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { kernelCandidates, shapeOf, stubCandidates } from '../../../src/boot/identify.ts'
import { imageOfListing } from '../../../src/boot/listing.ts'
import { quantity } from '../../../src/boot/quantity-schema.ts'
import { ukiSource } from '../../../src/boot/recipe.ts'
import { run, type BootConfig } from '../../../src/boot/run.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { bytesSource } from '../../../src/bytes/source.ts'
import { firmwareNamed } from '../../../src/firmware/firmwares.ts'
import { parseBzImage } from '../../../src/image/x86/bzimage.ts'
import { readListing } from '../../../src/image/objdump.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { buildKernel, buildUki } from '../../../src/image/synthetic.ts'
import { viewUki, type UkiView } from '../../../src/image/uki.ts'
import { kernelEras } from '../../../src/kernel/kernels.ts'
import { createMachine, type Notes } from '../../../src/machine/machine.ts'
import { Memory } from '../../../src/memory/memory.ts'
import { Recorder } from '../../../src/memory/recorder.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { plainFirmware } from '../../support/plain-firmware.ts'
import { goodPe } from '../firmware/loader-bench.ts'
import { SMALL_MAP } from '../firmware/small-machine.ts'
import { smallPe, type SmallSection } from '../firmware/small-pe.ts'
import { factsOf } from '../../support/facts.ts'

const facts = factsOf('debian-5.10.223')
const viewOf = (source: BootConfig['source']): UkiView => viewUki(parsePe(source).pe ?? expect.fail('no PE'))

describe('rows of the stub', () => {
  const uki = viewOf(buildUki({ stub: STUB_FACTS['247.3'], sections: [] }))
  const bare = viewOf(smallPe())
  const era = Object.values(stubEras)[0] ?? expect.fail('no row')

  test('a row of one’s own is taken as it is', () => {
    expect(stubCandidates(uki, era)).toEqual([
      { era, gap: null, version: null, evidence: ['given by the caller'], certainty: 'given' },
    ])
    const kernel = kernelEras[0] ?? expect.fail('no row')
    expect(kernelCandidates(bytesSource(new Uint8Array(1)), kernel)).toEqual([
      { era: kernel, gap: null, version: null, evidence: ['given by the caller'], certainty: 'given' },
    ])
  })

  test('an era by its name and a version are given, any other word is unusable', () => {
    expect(stubCandidates(bare, era.id)).toEqual([
      { era, gap: null, version: null, evidence: [`given: --stub ${era.id}`], certainty: 'given' },
    ])
    expect(stubCandidates(bare, '247.3')).toMatchObject([
      { gap: null, version: '247.3', evidence: ['given: --stub 247.3'], certainty: 'given' },
    ])
    expect(stubCandidates(bare, '9999')).toMatchObject([
      {
        era: null,
        certainty: 'none',
        gap: { clause: 'ST-1', why: 'stub 9999 is not in any modelled era; stubsim eras lists them' },
      },
    ])
    expect(() => stubCandidates(bare, 'grub')).toThrow(UsageError)
    expect(() => stubCandidates(bare, 'grub')).toThrow(
      /^--stub grub: neither a version nor an era such as systemd-stub\//,
    )
  })

  test('the file’s own text decides; without one there is no row', () => {
    expect(stubCandidates(uki)).toMatchObject([{ gap: null, certainty: 'certain' }])
    expect(stubCandidates(bare)).toMatchObject([
      { era: null, version: null, evidence: [], certainty: 'none', gap: { clause: 'ST-1' } },
    ])
  })

  test('an ia32 stub is not modelled, whatever its version', () => {
    const ia32 = { ...uki, pe: { ...uki.pe, coff: { ...uki.pe.coff, Machine: 0x14c } } }
    expect(stubCandidates(ia32, '247.3')).toMatchObject([
      { era: null, evidence: ['Machine 0x14c in the PE header'], gap: { clause: 'ST-86' } },
    ])
  })
})

describe('rows of the kernel', () => {
  const named = (version: string): ReturnType<typeof kernelCandidates> =>
    kernelCandidates(buildKernel({ ...facts, version }))

  test('what is no bzImage has none, with the parser’s reason', () => {
    expect(kernelCandidates(bytesSource(new Uint8Array(16)))).toMatchObject([
      {
        era: null,
        evidence: [],
        certainty: 'none',
        gap: {
          clause: 'EP-1',
          why: expect.stringMatching(/^the payload is not an x86 bzImage: ./) as unknown,
        },
      },
    ])
  })

  test('a branch without its stable level has all rows of the branch', () => {
    expect(named('5.15.0-91-generic (b) #1').map(({ era, certainty }) => [era?.id, certainty])).toEqual([
      ['linux/E2d', 'several'],
      ['linux/E2e', 'several'],
    ])
    expect(named('6.2.0-9-generic (b) #1').map(({ era, certainty }) => [era?.id, certainty])).toEqual([
      ['linux/E2b', 'certain'],
    ])
    expect(named('5.10.0-9-generic (b) #1').map(({ era, certainty }) => [era?.id, certainty])).toEqual([
      ['linux/E2c', 'several'],
      ['linux/E2', 'several'],
    ])
    expect(named('3.13.0-24-generic (b) #1')).toMatchObject([
      {
        era: null,
        certainty: 'none',
        version: '3.13.0-24-generic',
        gap: {
          clause: 'EP-1',
          why: 'linux 3.13.0-24-generic is not in any modelled era; stubsim eras lists them',
        },
      },
    ])
  })

  test('a kernel without a PE header tells nothing of its age', () => {
    const { bzimage } = parseBzImage(buildKernel(facts))
    expect(shapeOf({ ...(bzimage ?? expect.fail('no kernel')), pe: null })).toEqual(['no PE header'])
  })
})

test('a quantity that is no text is told what is wanted', () => {
  const issues = (input: unknown): string[] | undefined =>
    v.safeParse(quantity, input).issues?.map(({ message }) => message)
  expect(issues(true)).toEqual(['is not a number of bytes (write 4096, "0x1000" or "16MiB")'])
  expect(issues('16MB')).toEqual(['"16MB" is not a number of bytes (write 4096, 0x1000, 16MiB or 1.5GiB)'])
  expect(v.parse(quantity, '16MiB')).toBe(2 ** 24)
})

test('parts without a seed are filled with the usual pattern', () => {
  const linux = { name: '.linux', VirtualAddress: 0x2000000 }
  const parts = [{ at: 4, content: { hex: 'cafe' } }]
  const source = ukiSource({ stub: '247.3', sections: [{ ...linux, content: { size: 16, parts } }] })
  const content = viewOf(source).sections.at(-1)?.content ?? expect.fail('no section')
  const bytes = content.read(0 as Parameters<typeof content.read>[0], 16)
  expect([...bytes.subarray(4, 6)]).toEqual([0xca, 0xfe])
})

describe('a listing in the place of the file', () => {
  const listing = (
    rows: readonly (readonly [name: string, size: number])[],
  ): NonNullable<ReturnType<typeof readListing>['listing']> => {
    let at = 0x400
    const text = rows
      .map(([name, size], i) => {
        const line =
          `  ${String(i)} ${name}         ${size.toString(16).padStart(8, '0')}  ` +
          `${(0x2000000 * (i + 1)).toString(16).padStart(16, '0')}  0000000000000000  ` +
          `${at.toString(16).padStart(8, '0')}  2**4\n                  CONTENTS, ALLOC, ` +
          `LOAD, READONLY, DATA\n`
        at += Math.ceil(size / 0x200) * 0x200
        return line
      })
      .join('')
    return readListing(`a.efi:     file format pei-x86-64\n${text}`).listing ?? expect.fail('no listing')
  }
  const told = (image: ReturnType<typeof imageOfListing>): string[] =>
    image.assumptions.map(({ what }) => what)

  test('a recorded kernel of the same size takes its place', () => {
    const image = imageOfListing(
      listing([
        ['.linux', facts.fileSize],
        ['.initrd', 0x1000],
      ]),
      [{ id: 'odd', at: null, what: 'something odd', fatal: false }],
    )
    expect(image.stub).toBeNull()
    expect(told(image)).toContain(`.linux is the recorded kernel ${facts.name}: its file has the same size`)
    expect(told(image)).toContain('something odd')
    const content = viewOf(image.source).sections.find(({ section }) => section.name === '.linux')?.content
    expect(parseBzImage(content ?? expect.fail('no .linux')).bzimage?.release).toBe('5.10.0-32-amd64')
  })

  test('an unknown kernel ends the run after the load', () => {
    const image = imageOfListing(listing([['.linux', 0x1000]]))
    expect(told(image)).toContain('no recorded kernel has the size of .linux: its setup header is unknown')
    const recorder = new Recorder()
    const memory = new Memory(recorder)
    const notes: Notes = { assumptions: [], doubts: [], facts: {} }
    const machine = createMachine(
      recorder,
      memory,
      plainFirmware(memory, [], null),
      { secureBoot: false, kaslr: 'off' },
      notes,
    )
    expect(() =>
      image.stub?.boot(machine, {} as Parameters<NonNullable<typeof image.stub>['boot']>[1]),
    ).toThrow(
      expect.objectContaining({
        outcome: {
          kind: 'unknown',
          gap: {
            clause: 'HZ-19',
            why: expect.stringContaining('a listing does not contain the bytes of .linux') as unknown,
          },
        },
      }),
    )
  })

  test('without .linux nothing is said of a kernel', () => {
    const image = imageOfListing(listing([['.text', 0x1000]]))
    expect(told(image).filter(what => what.includes('.linux'))).toEqual([])
    expect(image.stub?.id).toBe('x-listing')
  })
})

describe('one run', () => {
  const first: SmallSection = { VirtualAddress: 0x1000, VirtualSize: 0x1000, raw: 0x1000 }
  const setup = (sections: readonly SmallSection[], change: Partial<BootConfig> = {}): BootConfig => {
    const source = smallPe(goodPe(sections, { SizeOfHeaders: 0x400 }))
    return {
      source,
      uki: viewOf(source),
      map: SMALL_MAP,
      contents: 'ovmf',
      loadOptions: null,
      settings: { secureBoot: false, kaslr: 'off' },
      stub: { clause: 'ST-1', why: 'no stub' },
      kernel: () => ({ clause: 'EP-1', why: 'no kernel' }),
      assumptions: [],
      ...change,
    }
  }

  test('without a stub it ends past the load, with the doubts that were there before', () => {
    const doubt = { clause: 'FW-28', why: 'a poor map' } as const
    const { outcome, gaps, snapshots } = run(setup([first], { doubts: [doubt] }))
    expect(outcome).toEqual({ kind: 'unknown', gap: { clause: 'ST-1', why: 'no stub' } })
    expect(gaps).toEqual([{ clause: 'ST-1', why: 'no stub' }, doubt])
    expect(snapshots.map(({ point }) => point)).toEqual(['before-load', 'stub-entry'])
    expect(run(setup([first])).gaps).toEqual([{ clause: 'ST-1', why: 'no stub' }])
  })

  test('the firmware that is named loads the image, where its search finds place', () => {
    const firmware = firmwareNamed('u-boot-2022.01')
    expect(
      run(setup([first], { firmware })).facts.sections?.map(({ name, size, intact }) => [name, size, intact]),
    ).toEqual([['.s0', 0x1000, true]])
    const edk2 = firmwareNamed('edk2-2022.11')
    expect(
      run(setup([first], { firmware: { ...edk2, build: { search: { bins: [], defaultMax: 0x7fffff } } } }))
        .outcome.kind,
    ).toBe('unknown')
  })

  test('sections: raw size for VirtualSize 0, nothing if empty, damaged if covered or cut off', () => {
    const sections = [
      { VirtualAddress: 0x1000, VirtualSize: 0x2000, raw: 0x1800 },
      { VirtualAddress: 0x2000, VirtualSize: 0x800, raw: 0x200 },
      { VirtualAddress: 0x4000, VirtualSize: 0, raw: 0x200 },
      { VirtualAddress: 0x5000, VirtualSize: 0, raw: 0 },
    ]
    expect(run(setup(sections)).facts.sections?.map(({ size, intact }) => [size, intact])).toEqual([
      [0x2000, false],
      [0x800, false],
      [0x200, true],
      [0, true],
    ])
  })

  test('a section that the view does not name belongs to the image', () => {
    const whole = setup([first])
    const {
      snapshots,
      facts: { sections },
    } = run({ ...whole, uki: { ...whole.uki, sections: [] } })
    expect(sections).toEqual([])
    expect(snapshots.at(-1)?.lines.some(({ object }) => object === 'uki')).toBe(true)
  })

  test('a load that is refused is the outcome, with load options or without', () => {
    const refused = run(
      setup([first, { VirtualAddress: 0x7000, VirtualSize: 0x2000, raw: 0x200 }], { loadOptions: 'quiet' }),
    )
    expect(refused.outcome).toMatchObject({
      kind: 'refused',
      refusal: { by: 'firmware', status: 'EFI_LOAD_ERROR', clause: 'PE-16' },
    })
    const seen: unknown[] = []
    run(
      setup([first], {
        loadOptions: 'quiet',
        stub: {
          id: 'x-test',
          boot: (machine, self) => {
            seen.push(self.loadOptions)
            return machine.gap('ST-1', 'enough')
          },
        },
      }),
    )
    expect(seen).toEqual([{ at: null, bytes: 12, text: 'quiet', object: 'load-options' }])
  })

  test('a bug of a model is thrown', () => {
    expect(() =>
      run(
        setup([first], {
          stub: {
            id: 'x-test',
            boot: () => {
              throw new RangeError('a bug')
            },
          },
        }),
      ),
    ).toThrow(new RangeError('a bug'))
  })
})
