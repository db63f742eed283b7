import { describe, expect, test } from 'vitest'
import { allFaults } from '../../src/all-faults.ts'
import { UsageError } from '../../src/bytes/errors.ts'
import { bytesSource } from '../../src/bytes/source.ts'
import { phys } from '../../src/bytes/units.ts'
import { prepareMachine } from '../../src/boot/prepare.ts'
import { check, type Checked } from '../../src/check.ts'
import { sayCall, type Fault, type ServiceCall } from '../../src/firmware/service-call.ts'
import { EfiBootServicesData, EfiLoaderCode, EfiLoaderData } from '../../src/image/memory-types.ts'
import { forAllFaults, forAllFirmware, forAllKernels, forAllStubs, scenario } from '../../src/vitest/index.ts'

const image = { stub: '257.13', kernel: '6.12.107-cloud', initrd: '4M' } as const
const good = scenario({ image })

const callsOf = ({ runs }: Checked): readonly ServiceCall[] => runs[0]?.calls ?? []
const withFaults = (...faults: Fault[]): Checked => check({ ...good, faults })
const failed = (checked: Checked): number[] =>
  callsOf(checked).flatMap(({ nth, fault }) => (fault === null ? [] : [nth]))
const refusal = ({ report: { outcome } }: Checked): unknown =>
  outcome.kind === 'refused' ? [outcome.refusal.by, outcome.refusal.status] : outcome.kind

describe('calls', () => {
  test('without a list of faults nobody counts; with an empty one the boot is the same, and counted', () => {
    const plain = check(good)
    const counted = withFaults()
    expect(callsOf(plain)).toEqual([])
    expect(counted.report).toEqual(plain.report)
    expect(counted.runs[0]?.recording.events).toEqual(plain.runs[0]?.recording.events)
    expect(callsOf(counted).map(({ nth }) => nth)).toEqual(callsOf(counted).map((_, i) => i + 1))
    expect(failed(counted)).toEqual([])
  })

  test('a call says who asks for what, of which type, in which step', () => {
    const calls = callsOf(withFaults())
    expect(calls[0]).toEqual({
      nth: 1,
      call: 'LoadImage',
      type: null,
      object: 'uki',
      by: 'firmware',
      steps: ['PE-1'],
      fault: null,
    })
    const params = calls.find(({ object }) => object === 'boot_params')
    expect(params).toMatchObject({ call: 'AllocatePages', type: EfiLoaderData, by: 'efi-stub' })
    expect(params?.steps).toContain('EP-8')
    expect(params && sayCall(params)).toBe(
      `AllocatePages(EfiLoaderData) for boot_params, by efi-stub in ${String(params?.steps[0])} ` +
        `(call ${String(params?.nth)})`,
    )
  })
})

describe('one fault', () => {
  const calls = callsOf(withFaults())
  const ofPool = calls.filter(({ call }) => call === 'AllocatePool')

  test('the nth call of a kind fails, and no other', () => {
    expect(failed(withFaults({ nth: 3 }))).toEqual([3])
    expect(failed(withFaults({ call: 'AllocatePool' }))).toEqual([ofPool[0]?.nth])
    expect(failed(withFaults({ call: 'AllocatePool', nth: 2 }))).toEqual([ofPool[1]?.nth])
    expect(failed(withFaults({ object: 'boot_params' }))).toEqual([
      calls.find(({ object }) => object === 'boot_params')?.nth,
    ])
    expect(failed(withFaults({ type: EfiLoaderCode }))).toEqual([
      calls.find(({ type }) => type === EfiLoaderCode)?.nth,
    ])
    expect(failed(withFaults({ by: 'efi-stub' }))).toEqual([calls.find(({ by }) => by === 'efi-stub')?.nth])
    expect(failed(withFaults({ step: 'EP-14' }))).toEqual([
      calls.find(({ steps }) => steps.includes('EP-14'))?.nth,
    ])
  })

  test('all given fields must apply', () => {
    expect(failed(withFaults({ by: 'stub', object: 'boot_params' }))).toEqual([])
    expect(failed(withFaults({ call: 'LoadImage', type: EfiLoaderData }))).toEqual([])
    expect(failed(withFaults({ type: EfiBootServicesData }))).toEqual([])
    expect(failed(withFaults({ nth: calls.length + 1 }))).toEqual([])
  })

  test('the stage answers as it does to a firmware that is out of memory', () => {
    expect(refusal(withFaults({ object: 'boot_params' }))).toEqual(['efi-stub', 'EFI_OUT_OF_RESOURCES'])
    expect(refusal(withFaults({ call: 'LoadImage', object: 'kernel', status: 'EFI_LOAD_ERROR' }))).toEqual([
      'stub',
      'EFI_LOAD_ERROR',
    ])
    expect(refusal(withFaults({ call: 'LoadImage' }))).toEqual(['firmware', 'EFI_OUT_OF_RESOURCES'])
  })

  test('a failed call is a step of the recording, and takes no memory', () => {
    const { recording } = withFaults({ object: 'boot_params' }).runs[0] ?? expect.fail('no run')
    const { clause, what, actor, first, end } =
      recording.steps.find(step => step.clause === 'x-fault') ?? expect.fail('no step')
    expect([clause, what, actor, end - first]).toEqual([
      'x-fault',
      'AllocatePages(EfiLoaderData for boot_params) fails with EFI_OUT_OF_RESOURCES, as asked for',
      'efi-stub',
      0,
    ])
  })

  test('every call, and what comes of a second chance', () => {
    const joined = { call: 'AllocatePages', object: 'initrd:joined' } as const
    const once = withFaults(joined)
    expect([once.report.verdict, failed(once).length]).toEqual(['clean', 1])
    const never = withFaults({ ...joined, nth: 'every' })
    expect([refusal(never), failed(never).length]).toEqual([['stub', 'EFI_OUT_OF_RESOURCES'], 2])
  })

  test('two faults each count their own calls', () => {
    const first = failed(withFaults({ call: 'AllocatePool' }))
    expect(failed(withFaults({ object: 'initrd:joined' }, { nth: 999 })).length).toBe(1)
    expect(failed(withFaults({ call: 'AllocatePool', nth: 999 }, { call: 'AllocatePool' }))).toEqual(first)
  })

  test('AllocateAddress fails with EFI_NOT_FOUND', () => {
    const { machine } = prepareMachine(good.machine).fork({ faults: [{ nth: 1 }] })
    const at = { kind: 'address', at: phys(0x100000) } as const
    expect(machine.firmware.allocatePages(at, EfiLoaderData, 1, 'x')).toEqual({
      status: 'EFI_NOT_FOUND',
      at: null,
    })
    expect(machine.firmware.allocatePages(at, EfiLoaderData, 1, 'x').status).toBe('EFI_SUCCESS')
  })

  test('forks go on counting, each for itself', () => {
    const context = prepareMachine(good.machine).fork({ faults: [{ nth: 2 }] })
    const any = { kind: 'any' } as const
    const take = ({ machine }: typeof context): string =>
      machine.firmware.allocatePages(any, EfiLoaderData, 1, 'x').status
    expect(take(context)).toBe('EFI_SUCCESS')
    const twin = context.fork()
    expect([take(twin), take(twin)]).toEqual(['EFI_OUT_OF_RESOURCES', 'EFI_SUCCESS'])
    expect([take(context), take(context)]).toEqual(['EFI_OUT_OF_RESOURCES', 'EFI_SUCCESS'])
  })

  test.each([
    [{ nth: 0 }, /^fault: nth: 0 is not a number from 1 on, or every$/],
    [{ nth: 1.5 }, /nth: 1\.5/],
    [{ call: 'FreePool' }, /^fault: FreePool is not one of AllocatePages, AllocatePool, LoadImage$/],
    [{ status: 'EFI_MAYBE' }, /^fault: status: EFI_MAYBE/],
  ])('%o is refused', (fault, why) => {
    const run = (): unknown => withFaults(fault as Fault)
    expect(run).toThrow(UsageError)
    expect(run).toThrow(why)
  })
})

describe('all faults', () => {
  test('one boot for each call, in which that call alone failed', () => {
    const calls = callsOf(withFaults())
    const all = allFaults(good)
    expect(all.map(({ call }) => call)).toEqual(calls)
    for (const { call, checked } of all) expect(failed(checked)).toEqual([call.nth])
    expect(
      all.filter(({ checked }) => checked.report.verdict === 'clean').map(({ call }) => call.object),
    ).toEqual(['initrd:joined'])
  })

  test('whatever fails in a boot by 247.3, what follows is modelled', () => {
    const bare = scenario({ image: { stub: '247.3', kernel: '6.12.107-cloud', initrd: '4M' } })
    for (const { checked } of allFaults(bare)) expect(checked.report.verdict).not.toBe('unknown')
  })
})

describe('for all', () => {
  const message = (body: () => void): string => {
    try {
      body()
    } catch (error) {
      return (error as Error).message
    }
    return expect.fail('nothing was thrown')
  }

  test('an expectation that always holds passes for stubs, kernels, firmware and faults', () => {
    const seen: Record<string, number> = { stubs: 0, kernels: 0, firmware: 0, faults: 0 }
    const count =
      (what: string) =>
      ({ report }: Checked): void => {
        seen[what] = (seen[what] ?? 0) + 1
        expect(report.verdict).toMatch(/./)
      }
    forAllStubs(good, count('stubs'))
    forAllKernels(good, count('kernels'))
    forAllFirmware(good, count('firmware'))
    forAllFaults(good, count('faults'))
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(15)
  })

  test('one error names all that failed, and shows three', () => {
    const said = message(() => {
      forAllFaults(good, checked => {
        expect(checked).toBootCleanly()
      })
    })
    const count = callsOf(withFaults()).length
    expect(said.split('\n')[0]).toBe(`${String(count - 1)} of ${String(count)} faults failed`)
    expect(said.match(/^--- /gm)).toHaveLength(3)
    expect(said.match(/^- /gm)?.length).toBeGreaterThanOrEqual(count - 4)
    expect(said).toContain('--- LoadImage for uki, by firmware in PE-1 (call 1)\n')
  })

  test('stubs of which one property holds only in part are named', () => {
    const said = message(() => {
      forAllStubs(scenario({ image: { ...image, stub: '247.3' } }), (checked, { id }) => {
        expect(id === 'systemd-stub/S2' ? 'bad' : checked.report.image.name).toBe('uki')
      })
    })
    expect(said).toContain('--- systemd-stub/S2\n')
    expect(said).toMatch(/^1 of \d+ stubs failed\n/)
  })

  test('a mistake of the caller is not a failure of one case', () => {
    expect(() => {
      forAllKernels(
        { ...good, image: { name: 'x', source: bytesSource(new Uint8Array(10)) } },
        () => undefined,
      )
    }).toThrow(UsageError)
  })
})
