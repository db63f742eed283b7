import { describe, expect, test } from 'vitest'
import { check, type CheckInput } from '../../src/check.ts'
import type { ByteSource } from '../../src/bytes/source.ts'
import { sparseSource, bytesSource } from '../../src/bytes/source.ts'
import { KERNEL_FACTS, type KernelFacts } from '../../src/image/x86/kernel-facts.ts'
import { parsePe } from '../../src/image/pe.ts'
import type { Actor, MemoryEvent } from '../../src/memory/event.ts'
import { lanzabooteEras } from '../../src/stub/lanzaboote/eras.ts'
import { kernel, lanzaboote, scenario, type LanzabooteOptions } from '../../src/vitest/index.ts'

/** A small kernel, so that hashing it costs little. */
const SMALL: KernelFacts = kernel('6.12.107-cloud', { size: '256K' })
const WHERE = { ram: '512M' } as const
/** Their stubs do not say which release they are. */
const EARLY: Readonly<Record<string, string>> = { '0.1.0': 'lanzaboote/0.1', '0.3.0': 'lanzaboote/0.3' }

function boot(options: LanzabooteOptions, more: Partial<Omit<CheckInput, 'image' | 'machine'>> = {}) {
  const { report, runs } = check(
    scenario({
      ...lanzaboote({ kernel: SMALL, initrd: 4096, ...options }),
      ...WHERE,
      ...(EARLY[options.release ?? ''] === undefined ? {} : { stub: EARLY[options.release ?? ''] }),
      ...more,
    }),
  )
  const [run] = runs
  if (run === undefined) throw new Error('no run')
  const { events, steps } = run.recording
  const under = (clause: string): readonly MemoryEvent[] =>
    events.filter(({ step }) => {
      for (let at = step; at !== null; at = steps[at]?.parent ?? null)
        if (steps[at]?.clause === clause) return true
      return false
    })
  /** Whose step it was in the first place. */
  const askedBy = ({ step }: MemoryEvent): Actor | undefined => {
    let outermost = step === null ? undefined : steps[step]
    while (outermost !== undefined && outermost.parent !== null) outermost = steps[outermost.parent]
    return outermost?.actor
  }
  const claims = (label: string): number[] =>
    events.flatMap(event =>
      event.op === 'claim' && event.label === label && askedBy(event) === 'stub'
        ? [event.range.end - event.range.start]
        : [],
    )
  return { report, under, claims, clauses: new Set(steps.map(({ clause }) => clause)) }
}

/** The image with other bytes in the header of a section: its VirtualSize. */
function resized(image: ByteSource, name: string, by: number): ByteSource {
  const { pe } = parsePe(image)
  const section = pe?.sections.find(one => one.name === name)
  if (pe === null || section === undefined) throw new Error(name)
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, section.VirtualSize + by, true)
  return sparseSource(image.size, [
    { at: 0, source: image },
    { at: pe.sectionTable + 40 * section.index + 8, source: bytesSource(bytes) },
  ])
}

/** What becomes of it when `.cmdline` is longer in memory than in the file. */
function longer(release: NonNullable<LanzabooteOptions['release']>) {
  const made = lanzaboote({ release, kernel: SMALL, initrd: 4096, cmdline: 'x'.repeat(0x200) })
  return check(scenario({ ...made, image: resized(made.image, '.cmdline', 0x100), ...WHERE })).report
}

describe('sections', () => {
  test('LZ-1, LZ-2: the file on disk before 0.3, memory since then', () => {
    const [disk, memory] = [boot({ release: '0.1.0' }), boot({ release: '0.3.0' })]
    expect([disk.under('LZ-1').length, disk.clauses.has('LZ-2')]).toEqual([0, false])
    expect(disk.report.assumptions.map(({ clause }) => clause)).toContain('LZ-1')
    expect(
      memory
        .under('LZ-2')
        .filter(({ op }) => op === 'read')
        .map(event => ('object' in event ? event.object : '')),
    ).toEqual(['uki:.kernelp', 'uki:.kernelh', 'uki:.initrdp', 'uki:.initrdh', 'cmdline'])
    expect(memory.clauses.has('LZ-1')).toBe(false)
  })

  test('LZ-3 and LZ-4: a section longer than its raw data is an assertion before 0.4.3', () => {
    expect(longer('0.4.2').outcome).toMatchObject({ kind: 'refused', refusal: { clause: 'LZ-3' } })
    expect(longer('0.4.3').outcome).toMatchObject({
      kind: 'refused',
      refusal: {
        clause: 'LZ-5',
        why: expect.stringContaining('.cmdline is not UTF-8 text without NUL') as string,
      },
    })
    expect(boot({ release: '0.4.3' }).clauses.has('LZ-4')).toBe(true)
  })

  test('LZ-5 panics without a section, or with a hash of another length', () => {
    const made = lanzaboote({ kernel: SMALL, initrd: 4096 })
    expect(
      check(scenario({ ...made, image: resized(made.image, '.linuxh', -1), ...WHERE })).report.outcome,
    ).toMatchObject({
      kind: 'refused',
      refusal: { clause: 'LZ-5', why: '.linuxh has 31 bytes, a hash has 32: the stub panics' },
    })
    const { pe } = parsePe(made.image)
    const cmdline = pe?.sections.find(({ name }) => name === '.cmdline')
    if (pe === null || cmdline === undefined) throw new Error('.cmdline')
    const renamed = sparseSource(made.image.size, [
      { at: 0, source: made.image },
      { at: pe.sectionTable + 40 * cmdline.index, source: bytesSource(new TextEncoder().encode('.cmdlinf')) },
    ])
    expect(check(scenario({ ...made, image: renamed, ...WHERE })).report.outcome).toMatchObject({
      refusal: {
        clause: 'LZ-5',
        message:
          'Failed to extract configuration from binary and load kernel/initrd from disk. Did you run lzbt?',
      },
    })
  })
})

describe('kernel and initrd', () => {
  test('LZ-6 wants the files that the image names', () => {
    const { image, linux, initrd } = lanzaboote({ kernel: SMALL, initrd: 4096 })
    if (linux === undefined || initrd === undefined) throw new Error('thin')
    const gap = (files: object) => check(scenario({ image, ...WHERE, ...files })).report
    expect(gap({})).toMatchObject({
      verdict: 'unknown',
      outcome: {
        gap: {
          clause: 'LZ-6',
          why: 'the image names its kernel as \\EFI\\nixos\\kernel-1.efi on the ESP and does not embed it: give the file',
        },
      },
      kernel: { title: 'the kernel named by the image was not given' },
    })
    expect(gap({ linux }).outcome).toMatchObject({
      gap: { why: expect.stringContaining('initrd-1.efi') as string },
    })
    expect(gap({ linux, initrd: bytesSource(new Uint8Array(0)) }).outcome).toMatchObject({
      gap: { why: expect.stringContaining('is empty') as string },
    })
    expect(gap({ linux, initrd })).toMatchObject({ verdict: 'clean' })
  })

  test('LZ-7 copies a fat image into pool, the initrd twice', () => {
    const { report, under } = boot({ release: '0.4.1', fat: true })
    expect(report).toMatchObject({ verdict: 'clean', stub: { id: 'lanzaboote/0.4/fat' } })
    const copies = under('LZ-7').flatMap(event =>
      event.op === 'copy' ? [event.range.end - event.range.start] : [],
    )
    expect(copies).toEqual([SMALL.fileSize, 4096, 4096])
  })

  test('LZ-8 and LZ-9: a buffer that doubles, or one of the size of the file', () => {
    const sizes = (release: '0.3.0' | '0.4.1') => boot({ release, initrd: 3 * 4096 }).claims('initrd')
    expect(sizes('0.4.1')).toEqual([0x3000])
    expect(sizes('0.3.0')).toEqual([0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000])
  })
})

describe('hashes', () => {
  const outcome = (
    release: NonNullable<LanzabooteOptions['release']>,
    wrongHash: 'kernel' | 'initrd',
    secureBoot: boolean,
  ) => boot({ release, wrongHash }, { secureBoot, deep: true })

  test('LZ-10 gives another kernel to the firmware', () => {
    expect(outcome('0.3.0', 'kernel', false).clauses.has('LZ-18')).toBe(false)
    expect(outcome('0.3.0', 'kernel', false).report.facts.handOff).toMatchObject({ door: 'pe-entry' })
    expect(outcome('0.3.0', 'initrd', true).report.outcome).toMatchObject({
      refusal: { clause: 'LZ-10', status: 'EFI_SECURITY_VIOLATION' },
    })
    expect(
      boot({ release: '0.3.0', wrongHash: 'kernel' }).report.assumptions.map(({ clause }) => clause),
    ).toContain('LZ-10')
  })

  test('LZ-11 refuses under Secure Boot, else warns', () => {
    expect(outcome('0.4.3', 'initrd', true).report.outcome).toMatchObject({
      refusal: { clause: 'LZ-11', status: 'EFI_SECURITY_VIOLATION', message: 'Initrd hash does not match!' },
    })
    const { report } = outcome('0.4.3', 'kernel', false)
    expect(report.facts.handOff).toMatchObject({ door: 'pe-entry' })
    expect(report.assumptions.map(({ clause }) => clause)).toContain('LZ-11')
  })

  test('LZ-12 refuses always', () => {
    expect(outcome('1.1.0', 'kernel', false).report.outcome).toMatchObject({
      refusal: { clause: 'LZ-12', message: 'Kernel hash does not match!' },
    })
    expect(boot({}, { deep: true }).report.assumptions.map(({ clause }) => clause)).not.toContain('LZ-10')
  })
})

describe('command line and initrd', () => {
  const line = (release: NonNullable<LanzabooteOptions['release']>, more: object) =>
    boot({ release }, { loadOptions: 'quiet nokaslr', ...more }).report.facts.commandLine

  test('LZ-13 takes the embedded command line', () => {
    expect(line('0.3.0', {})).toBe('console=ttyS0 nokaslr')
  })

  test('LZ-14 takes LoadOptions, unless Secure Boot is on', () => {
    expect(line('0.4.1', {})).toBe('quiet nokaslr')
    expect(line('1.1.0', { secureBoot: true })).toBe('console=ttyS0 nokaslr')
    expect(boot({}).report.facts.commandLine).toBe('console=ttyS0 nokaslr')
  })

  test('LZ-15 and LZ-16: padding since 0.4.2, in a buffer of twice the size', () => {
    expect(boot({ release: '0.4.1', initrd: 0x5001 }).claims('initrd')).toEqual([0x5008])
    const { report, claims } = boot({ release: '0.4.2', initrd: 0x5001 })
    expect(claims('initrd')).toEqual([0x5008, 0xa008])
    expect(report).toMatchObject({ verdict: 'clean', facts: { ramdiskSize: 0x5004, initrdDamage: [] } })
    expect(boot({ release: '0.4.2', initrd: 0x5000 }).claims('initrd')).toEqual([0x5000])
  })

  test('LZ-17 assumes that there are no companions', () => {
    for (const options of [{ release: '0.4.2' }, { release: '0.4.2', fat: true }, {}] as const)
      expect(boot(options).report.assumptions.map(({ clause }) => clause)).toContain('LZ-17')
    expect(boot({ release: '0.4.1' }).report.assumptions.map(({ clause }) => clause)).not.toContain('LZ-17')
  })
})

describe('the way into the kernel', () => {
  test('LZ-18 and LZ-20: its own loader, its own handle', () => {
    const { report, clauses, under } = boot({})
    expect([clauses.has('LZ-18'), clauses.has('PE-53')]).toEqual([true, true])
    expect(report.facts.handOff).toMatchObject({ door: 'pe-entry' })
    const entry = SMALL.pe.optional.AddressOfEntryPoint
    expect(Number(report.facts.handOff?.entry) - Number(report.facts.handOff?.kernelImage)).toBe(entry)
    expect(under('LZ-18').some(event => event.op === 'zero')).toBe(true)
  })

  test('LZ-18 panics when the loader refuses', () => {
    const made = lanzaboote({ kernel: SMALL, initrd: 4096 })
    const { report } = check(
      scenario({ ...made, linux: bytesSource(new Uint8Array(4096)), kernel: '6.12.107', ...WHERE }),
    )
    expect(report.outcome).toMatchObject({
      refusal: { clause: 'LZ-18', message: 'Failed to load the kernel' },
    })
  })

  test('LZ-19 registers the initrd for LoadFile2 out of its pool', () => {
    const { report } = boot({})
    expect(report.facts.ramdiskSize).toBe(4096)
    expect(report.facts.ramdiskImageFromStub).toBeUndefined()
    expect(report.assumptions.map(({ clause }) => clause)).toContain('LZ-19')
  })
})

describe('which release it is', () => {
  const ids = (options: LanzabooteOptions) => {
    const { report } = check(
      scenario({ ...lanzaboote({ kernel: SMALL, initrd: 4096, ...options }), ...WHERE }),
    )
    return [report, ...report.alternatives].map(({ stub }) => stub.id).sort()
  }

  test('LZ-21 reads the text of the stub, and the names of sections where there is none', () => {
    expect(ids({ release: '0.4.2' })).toEqual(['lanzaboote/0.4.2'])
    expect(ids({ release: '0.4.2', fat: true })).toEqual(['lanzaboote/0.4.2/fat'])
    expect(ids({ release: '0.1.0' })).toEqual(['lanzaboote/0.1', 'lanzaboote/0.3'])
    expect(ids({ anonymous: true })).toEqual([
      'lanzaboote/0.4',
      'lanzaboote/0.4.2',
      'lanzaboote/0.4.3',
      'lanzaboote/1.1',
    ])
    const chosen = check(
      scenario({ ...lanzaboote({ kernel: SMALL, initrd: 4096, anonymous: true }), ...WHERE, stub: '0.4.1' }),
    ).report
    expect(chosen.stub).toMatchObject({ id: 'lanzaboote/0.4', certainty: 'given' })
    expect(chosen.alternatives).toEqual([])
  })

  test('LZ-21: a release that is in no row is unknown', () => {
    const made = lanzaboote({ kernel: SMALL, initrd: 4096 })
    expect(check(scenario({ ...made, ...WHERE, stub: '1.9' })).report).toMatchObject({
      verdict: 'unknown',
      stub: { id: null },
    })
  })

  test('every row was seen, and boots every kernel that can be started so', () => {
    expect(lanzabooteEras.filter(({ seen }) => seen.length === 0)).toEqual([])
    for (const name of Object.keys(KERNEL_FACTS).filter(one =>
      /debian-(6\.12\.107-cloud|5\.10\.223|6\.1\.170)$/.test(one),
    )) {
      const made = lanzaboote({ release: '0.4.2', fat: true, kernel: name })
      expect([name, check(scenario({ ...made, ...WHERE })).report.verdict]).toEqual([name, 'clean'])
    }
  })
})
