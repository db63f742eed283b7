import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/bytes/errors.ts'
import { bytesSource, sparseSource } from '../../src/bytes/source.ts'
import { check, type CheckInput } from '../../src/check.ts'
import { profileMap, profileNamed } from '../../src/firmware/profiles.ts'
import { phys } from '../../src/bytes/units.ts'
import { KERNEL_FACTS } from '../../src/image/x86/kernel-facts.ts'
import { contentSource } from '../../src/image/content.ts'
import { parsePe } from '../../src/image/pe.ts'
import { bootLoaders } from '../../src/boot-loader/boot-loaders.ts'
import { STUB_FACTS } from '../../src/image/stub-facts.ts'
import { buildKernel } from '../../src/image/synthetic.ts'
import { kernelEras } from '../../src/kernel/kernels.ts'
import type { KernelModel, StubModel } from '../../src/machine/model.ts'
import { stubEras } from '../../src/stub/eras.ts'
import { kernel, uki, type UkiOptions } from '../../src/vitest/builders.ts'
import { factsOf } from '../support/facts.ts'
import { MIB } from '../support/bytes.ts'

const map = (ram = 512 * MIB) => profileMap(profileNamed('ovmf-2022.11'), ram)
const input = (options: UkiOptions, more: Partial<CheckInput> = {}): CheckInput => ({
  image: { name: 'test.efi', source: uki(options) },
  machine: { what: 'test machine', map: map() },
  ...more,
})

describe('a whole boot', () => {
  test('an old stub with a 5.10 kernel arrives clean; both are certain', () => {
    const { report } = check(input({ stub: '247.3', kernel: '5.10.223-cloud', at: 'dracut', gap: '16M' }))
    expect(report).toMatchObject({
      schema: 1,
      verdict: 'clean',
      stub: { id: 'systemd-stub/S2', certainty: 'certain' },
      kernel: { id: 'linux/E2', certainty: 'certain' },
      alternatives: [],
    })
    expect(report.facts.handOff?.entryMethod).toBe('efi-handover')
    expect(report.snapshots.map(({ point }) => point)).toEqual([
      'before-load',
      'stub-entry',
      'hand-off',
      'arrival',
    ])
    expect(report.machine.ramBytes).toBeGreaterThan(500 * MIB)
  })

  test('a 6.12 kernel zeroes the initrd that is packed after it on an old stub: damage, to the byte', () => {
    const { report } = check(input({ stub: '247.3', kernel: '6.12.107-cloud' }))
    expect(report.verdict).toBe('damage')
    expect(report.facts.initrdDamage).toEqual([{ from: 0, to: 0x43078 }])
    expect(report.findings.filter(finding => finding.class === 'damage')).toMatchObject([
      { rule: 'clobbered-object', object: 'initrd', offsets: [{ from: 0, to: 0x43078 }] },
    ])
  })

  test('the same image on a stub that loads the kernel as PE is clean', () => {
    expect(check(input({ stub: '257.13', kernel: '6.12.107-cloud' })).report.verdict).toBe('clean')
  })

  test('too little memory is refused by the firmware, with its clause', () => {
    const { report } = check(
      input(
        { stub: '247.3', kernel: '5.10.223-cloud', initrd: '5M', at: 'dracut', gap: '16M' },
        { machine: { what: 'small', map: map(128 * MIB) } },
      ),
    )
    expect(report).toMatchObject({
      verdict: 'refused',
      outcome: { kind: 'refused', refusal: { by: 'firmware', status: 'EFI_OUT_OF_RESOURCES' } },
      kernel: { id: 'linux/E2' },
    })
  })

  test('a rule of one’s own takes the place of the rules of the house', () => {
    const { report } = check(input({ stub: '247.3', kernel: '6.12.107-cloud' }, { rules: [] }))
    expect(report.findings).toEqual([])
    expect(report.verdict).toBe('clean')
  })

  test('the same input gives the same recording', () => {
    const once = check(input({ stub: '257.13' }))
    const again = check(input({ stub: '257.13' }))
    expect(again.runs[0]?.recording.events.length).toBe(once.runs[0]?.recording.events.length)
    expect(again.report.facts).toEqual(once.report.facts)
  })
})

describe('which rows are run', () => {
  test('a version or an id given by the caller wins over what the file says', () => {
    const byVersion = check(
      input({ stub: '257.13', kernel: '5.10.223-cloud' }, { stub: '247.3', kernel: '5.7-rc1' }),
    ).report
    expect([byVersion.stub, byVersion.kernel]).toMatchObject([
      { id: 'systemd-stub/S2', certainty: 'given', version: '247.3' },
      { id: 'linux/E1', certainty: 'given' },
    ])
    expect(check(input({ stub: '257.13' }, { stub: 'systemd-stub/S2' })).report.stub).toMatchObject({
      id: 'systemd-stub/S2',
      certainty: 'given',
    })
  })

  test('a row or a whole model of the caller is run as it is', () => {
    const row = stubEras['systemd-stub/S2']
    const era = kernelEras[0]
    if (row === undefined || era === undefined) throw new Error('rows are missing')
    expect(
      check(input({ stub: '257.13' }, { stub: { ...row, id: 'mine' }, kernel: { ...era, id: 'my-kernel' } }))
        .report,
    ).toMatchObject({ stub: { id: 'mine' }, kernel: { id: 'my-kernel' } })
    const stub: StubModel = {
      id: 'tiny',
      boot: machine => machine.refuse('x-tiny', 'EFI_ABORTED', 'it never boots'),
    }
    expect(check(input({}, { stub })).report).toMatchObject({
      verdict: 'refused',
      stub: { id: 'tiny', title: 'a model of the caller' },
    })
    const own: KernelModel = {
      id: 'own',
      start: (_, from) => ({ entry: from.entry, kernel: from.entry, bootParams: phys(0) }),
    }
    expect(check(input({}, { kernel: own })).report).toMatchObject({
      verdict: 'clean',
      kernel: { id: 'own' },
      outcome: { kind: 'arrived' },
    })
  })

  test('a version that no row holds is unknown and named, never the nearest', () => {
    const { report } = check(input({ stub: '257.13' }, { stub: '199' }))
    expect(report).toMatchObject({
      verdict: 'unknown',
      stub: { id: null, certainty: 'none' },
      outcome: { kind: 'unknown' },
    })
    expect(report.gaps[0]?.why).toMatch(/199 is not in any modelled era/)
    expect(check(input({ stub: '257.13' }, { kernel: '3.2.1' })).report).toMatchObject({
      verdict: 'unknown',
      kernel: { id: null },
    })
  })

  test('nonsense for a version is the caller’s mistake', () => {
    expect(() => check(input({}, { stub: 'newest' }))).toThrow(UsageError)
    expect(() => check(input({}, { kernel: 'newest' }))).toThrow(
      /neither a version nor an era such as linux\/E/,
    )
  })

  test('a kernel that names only its branch is run as every row that the branch may follow', () => {
    const facts = { ...kernel('6.1.170-cloud'), version: '6.1.0-47-generic (builder@host) #1 SMP' }
    const { report, runs } = check(input({ stub: '247.3', kernel: facts }))
    expect(report.kernel.version).toBe('6.1.0-47-generic')
    expect(runs.length).toBe(report.alternatives.length + 1)
    expect(report.kernel.evidence.join()).toMatch(/it does not give the stable release/)
  })

  test('a kernel without a version string is run as every row whose files look like it', () => {
    const { report, runs } = check(
      input({ stub: '247.3', kernel: { ...kernel('5.10.223-cloud'), version: '' } }),
    )
    expect(report).toMatchObject({ verdict: 'clean', kernel: { version: null, certainty: 'several' } })
    expect(runs).toHaveLength(9)
  })

  test('a bare kernel has no stub that could be named', () => {
    const facts = KERNEL_FACTS['debian-6.12.107-cloud']
    if (facts === undefined) throw new Error('facts are missing')
    const { report } = check({
      image: { name: 'vmlinuz', source: buildKernel(facts) },
      machine: { what: 'test', map: map() },
    })
    expect(report).toMatchObject({
      verdict: 'unknown',
      stub: { id: null },
      kernel: { title: 'no .linux section' },
    })
    expect(report.facts.imageBase).toBeDefined()
  })
})

describe('input that cannot be used', () => {
  test.each([
    ['empty', new Uint8Array(0), /test\.efi: at 0x0: the file is empty/],
    ['text', new TextEncoder().encode('not a boot image'), /neither MZ nor a PE signature/],
  ])('%s: one error that names the file', (_, bytes, message) => {
    expect(() =>
      check({ image: { name: 'test.efi', source: bytesSource(bytes) }, machine: { what: 'm', map: map() } }),
    ).toThrow(message)
  })

  test.each([
    [
      'a section table that runs out of the headers',
      0x80 + 6,
      [0xff, 0xff],
      /test\.efi: at 0x188: the section table ends at 0x280160, SizeOfHeaders is 0x400/,
    ],
    ['a PE header inside the DOS header', 0x3c, [0x20, 0, 0, 0], /test\.efi: /],
  ])('%s: one error that names the place', (_, at, bytes, message) => {
    const good = uki({ stub: '247.3', kernel: '6.12.107-cloud' })
    const broken = sparseSource(good.size, [
      { at: 0, source: good },
      { at, source: bytesSource(Uint8Array.from(bytes)) },
    ])
    expect(() =>
      check({ image: { name: 'test.efi', source: broken }, machine: { what: 'm', map: map() } }),
    ).toThrow(message)
  })

  test('a late map that cannot hold the image is the caller’s mistake', () => {
    expect(() => check(input({}, { machine: { what: 'm', map: map(), taken: 'stub-entry' } }))).toThrow(
      /give its load address with --image-base/,
    )
  })
})

test('an observed image base is used as it is, and said to be assumed', () => {
  const at = phys(0x10000000)
  const { report } = check(input({ stub: '247.3' }, { machine: { what: 'm', map: map(), imageBase: at } }))
  expect(report.facts.imageBase).toBe(at)
})

test('LoadOptions of the boot entry take the place of the command line where the stub lets them', () => {
  const options: UkiOptions = { stub: '247.3', kernel: '5.10.223-cloud', at: 'dracut', gap: '16M' }
  expect(check(input(options, { loadOptions: 'quiet nokaslr' })).report.facts.commandLine).toBe(
    'quiet nokaslr',
  )
  expect(
    check(input(options, { loadOptions: 'quiet nokaslr', secureBoot: true })).report.facts.commandLine,
  ).toBe('console=ttyS0 nokaslr')
})

test('every measured stub is at least named', () => {
  for (const version of Object.keys(STUB_FACTS))
    expect(check(input({ stub: version })).report.stub.version).toMatch(
      new RegExp(`^${version.replace('.', '\\.')}`),
    )
})

describe('a kernel without a stub', () => {
  const facts = factsOf('debian-6.12.107-cloud')
  const started = (loader: CheckInput['bootLoader'], more: Partial<CheckInput> = {}): CheckInput => ({
    image: { name: 'vmlinuz', source: buildKernel(facts) },
    machine: { what: 'test machine', map: map() },
    initrd: contentSource({ initrd: 4 * MIB }),
    commandLine: 'nokaslr quiet',
    ...(loader === undefined ? {} : { bootLoader: loader }),
    ...more,
  })

  test.each(['grub/linuxefi', 'grub/efi', 'grub/relocator', 'efi/start-image'])(
    '%s brings it to its first instruction',
    loader => {
      const { report } = check(started(loader))
      expect(report).toMatchObject({
        stub: { id: loader, certainty: 'given' },
        kernel: { id: 'linux/E5', certainty: 'certain' },
        advice: [],
        facts: { commandLine: 'nokaslr quiet', ramdiskSize: 4 * MIB, initrdDamage: [] },
      })
      expect(report.outcome.kind).toBe('arrived')
      expect(report.findings.filter(finding => finding.class === 'damage')).toEqual([])
    },
  )

  test('what GRUB copies from the file is the setup header, and no breach', () => {
    expect(check(started('grub/linuxefi')).report.findings).toEqual([])
  })

  test('a boot loader of one’s own, and one that nobody knows', () => {
    const row = bootLoaders['grub/efi'] ?? expect.fail('no such loader')
    expect(
      check(started({ id: 'x-mine', boot: (machine, cargo) => row.boot(machine, cargo) })).report,
    ).toMatchObject({ stub: { id: 'x-mine', title: 'a model of the caller' } })
    expect(() => check(started('lilo'))).toThrow(/unknown boot loader lilo; known are grub\/linuxefi/)
    expect(() => check(started('toString'))).toThrow(UsageError)
    expect(() =>
      check(started('grub/efi', { machine: { what: 'm', map: map(), taken: 'stub-entry' } })),
    ).toThrow(UsageError)
  })
})

describe('an image that does not say what it is', () => {
  /** The stub without its version text, and the kernel without its version string. */
  const mute = (options: UkiOptions) => {
    const { image, machine, ...rest } = input({
      ...options,
      stub: { ...STUB_FACTS['257.13'], identification: 'no version here' },
    })
    return { ...rest, image, machine }
  }
  const kernelFacts = factsOf('debian-6.12.107-cloud')
  const nameless = { ...kernelFacts, version: '' }

  test('a stub without a version text is unknown, and the gap says how to run every row', () => {
    const { report } = check(mute({}))
    expect(report).toMatchObject({
      verdict: 'unknown',
      stub: { id: null, certainty: 'none' },
      alternatives: [],
    })
    expect(report.gaps).toMatchObject([
      { clause: 'ST-1', why: expect.stringContaining('--stub systemd-stub') as string },
    ])
  })

  test('with the family every row is run, and each is reported', () => {
    const { report, runs } = check({ ...mute({}), stub: 'systemd-stub' })
    const all = [report, ...report.alternatives]
    expect(new Set(all.map(({ stub }) => stub.id))).toEqual(new Set(Object.keys(stubEras)))
    expect([all.length, runs.length]).toEqual([Object.keys(stubEras).length, Object.keys(stubEras).length])
    for (const { stub } of all)
      expect(stub).toMatchObject({
        certainty: 'several',
        version: null,
        evidence: ['given: --stub systemd-stub, so each of its eras is run'],
      })
    const ranks = ['damage', 'refused', 'unknown', 'clean']
    expect(all.map(({ verdict }) => ranks.indexOf(verdict))).toEqual(
      all.map(({ verdict }) => ranks.indexOf(verdict)).sort((a, b) => a - b),
    )
  })

  test('a kernel without a version string is run in every row whose files look so', () => {
    const { report, runs } = check(input({ stub: '257.13', kernel: nameless }))
    const all = [report, ...report.alternatives]
    expect(all.map(({ kernel: { id } }) => id).sort()).toEqual(['linux/E5', 'linux/E5a', 'linux/E6'])
    expect(runs.length).toBe(3)
    for (const { kernel: ref } of all) expect(ref).toMatchObject({ certainty: 'several', version: null })
  })

  test('both at once: every pair', () => {
    const { report } = check({ ...mute({ kernel: nameless }), stub: 'systemd-stub' })
    const pairs = [report, ...report.alternatives].map(
      ({ stub, kernel: { id } }) => `${String(stub.id)} ${String(id)}`,
    )
    expect(new Set(pairs).size).toBe(pairs.length)
    expect(pairs.length).toBeGreaterThan(Object.keys(stubEras).length)
  })

  test('an ia32 stub is unknown on every firmware, and the gap names mixed mode', () => {
    const { pe } = parsePe(uki({}))
    const at = (pe?.e_lfanew ?? 0) + 4
    const source = sparseSource(uki({}).size, [
      { at: 0, source: uki({}) },
      { at, source: bytesSource(Uint8Array.of(0x4c, 0x01)) },
    ])
    for (const stub of [undefined, '257.13', 'systemd-stub/S8', 'systemd-stub']) {
      const { report } = check({
        ...input({}),
        image: { name: 'ia32.efi', source },
        ...(stub === undefined ? {} : { stub }),
      })
      expect(report).toMatchObject({
        verdict: 'unknown',
        stub: { id: null },
        outcome: {
          kind: 'unknown',
          gap: { clause: 'ST-86', why: 'an ia32 stub, on ia32 firmware or in mixed mode, is not modelled' },
        },
      })
    }
  })
})
