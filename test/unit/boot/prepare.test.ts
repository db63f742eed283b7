import { describe, expect, test } from 'vitest'
import { prepareImage, prepareMachine } from '../../../src/boot/prepare.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { rangeAt } from '../../../src/bytes/range.ts'
import { fileOffset } from '../../../src/bytes/units.ts'
import { bytesSource, countingSource } from '../../../src/bytes/source.ts'
import { check, type CheckInput } from '../../../src/check.ts'
import { recordingToJson } from '../../../src/cli/recording-json.ts'
import { kernelEras, kernelModel } from '../../../src/kernel/kernels.ts'
import { bootLoaders } from '../../../src/boot-loader/boot-loaders.ts'
import { reportToJson } from '../../../src/report/index.ts'
import { stubEras } from '../../../src/stub/eras.ts'
import { stubModel } from '../../../src/stub/boot.ts'
import { scenario, uki, type ScenarioOptions } from '../../../src/vitest/index.ts'
import { share } from '../../support/depth.ts'

/** Every word of the report and every event of every run. */
const told = (input: CheckInput): unknown => {
  const { report, runs } = check(input)
  return { report: reportToJson(report), runs: runs.map(run => recordingToJson(run.recording)) }
}
/** Every `step`-th of a list, from `from` on. */
const some = <T>(list: readonly T[], step: number, from = 0): T[] => list.filter((_, i) => i % step === from)

describe('the same scenario gives the same recording, prepared or not', () => {
  const scenarios: Readonly<Record<string, ScenarioOptions>> = {
    'an image that arrives': { image: uki() },
    'an initrd that is lost': { image: uki({ stub: '247.3', initrd: '3M' }), kaslr: 'all' },
    'too little memory': { image: uki({ initrd: '60M' }), ram: '128M', contents: 'poison' },
    'another firmware, which refuses': { image: uki({ stub: '247.3' }), imageLoader: 'u-boot-2022.01' },
    'Secure Boot after shim': { image: uki(), secureBoot: true, shim: true, imageLoader: 'shim-16' },
  }
  test.each(Object.entries(scenarios).map((one, i) => [...one, i] as const))('%s', (_, options, turn) => {
    const plain = scenario(options)
    const prepared = {
      ...plain,
      image: { ...plain.image, source: prepareImage(plain.image.source) },
      machine: prepareMachine(plain.machine),
    }
    const all = some(Object.keys(stubEras), 9).flatMap((stub, i) =>
      some(kernelEras, 11, i % 11).map(({ id }) => ({ stub, kernel: id })),
    )
    const pairs = share(all, 3, turn)
    const first = pairs.map(pair => told({ ...prepared, ...pair }))
    const again = pairs.toReversed().map(pair => told({ ...prepared, ...pair }))
    expect(again.toReversed()).toEqual(first)
    expect(first).toEqual(pairs.map(pair => told({ ...plain, ...pair })))
  })

  test('one run of a stub serves every kernel as if it were the only one', () => {
    const input = scenario({ image: uki({ stub: '247.3' }), stub: 'systemd-stub/S2' })
    const all = check({ ...input, kernel: 'linux' })
    expect(all.runs).toHaveLength(kernelEras.length)
    const alone = kernelEras.map(({ id }) => check({ ...input, kernel: id }))
    const byKernel = new Map(
      [all.report, ...all.report.alternatives].map((report, i) => [report.kernel.id, all.runs[i]]),
    )
    for (const { report, runs } of alone)
      expect(recordingToJson(byKernel.get(report.kernel.id)?.recording ?? expect.fail())).toEqual(
        recordingToJson(runs[0]?.recording ?? expect.fail()),
      )
  })
})

describe('prepared values', () => {
  const { image, machine: input } = scenario({ image: uki({ initrd: '2M' }) })
  const image1 = prepareImage(image.source)
  const machine = prepareMachine(input)
  const stub = stubModel(Object.values(stubEras).at(-1) ?? expect.fail())
  const kernel = kernelModel(kernelEras.at(-1) ?? expect.fail())

  test('an entry and a hand-off serve again, and tell when there is nothing to go on with', () => {
    const entry = machine.load(image1)
    expect(entry.ended).toBeNull()
    const handed = entry.boot(stub)
    expect(handed.ended).toBeNull()
    expect(handed.handOff?.payload.object).toBe('kernel')
    const [one, other] = [handed.start(kernel), handed.start(kernel)]
    expect(one.outcome.kind).toBe('arrived')
    expect(other).toEqual(one)
    const gap = { clause: 'x-gap', why: 'none' } as const
    expect(handed.start(gap).outcome).toEqual({ kind: 'unknown', gap })
    expect(entry.boot(gap).ended?.outcome).toEqual({ kind: 'unknown', gap })
    expect(entry.boot(gap).handOff).toBeNull()
    const small = prepareMachine(scenario({ image: image.source, ram: '96M' }).machine)
    const refused = small.load(prepareImage(uki({ initrd: '80M' })))
    expect(refused.ended?.outcome.kind).toBe('refused')
    expect(refused.boot(stub).start(kernel)).toEqual(refused.ended)
  })

  test('a fork is a machine of its own, for stages of one’s own', () => {
    const [one, other] = [machine.fork({ settings: { secureBoot: true } }), machine.fork()]
    const got = one.machine.firmware.allocatePages({ kind: 'any' }, 2, 4, 'x-mine')
    expect(got.status).toBe('EFI_SUCCESS')
    expect(other.machine.firmware.allocatePages({ kind: 'any' }, 2, 4, 'x-mine')).toEqual(got)
    one.machine.memory.zero(rangeAt(got.at ?? 0, 0x1000), 'x-mine')
    const twin = one.fork()
    twin.machine.memory.zero(rangeAt(got.at ?? 0, 0x2000), 'x-mine')
    expect(one.machine.memory.occupants(rangeAt(got.at ?? 0, 0x4000), () => false)).toMatchObject([
      { range: rangeAt(got.at ?? 0, 0x1000) },
    ])
    expect(other.machine.memory.occupants(rangeAt(got.at ?? 0, 0x4000), () => false)).toEqual([])
    expect([one, twin, other].map(stage => stage.machine.settings.secureBoot)).toEqual([true, true, false])
  })

  test('a boot loader starts a kernel on it', () => {
    const linux = image1.uki?.sections.find(({ object }) => object === 'kernel')?.content ?? expect.fail()
    const cargo = { kernel: linux, initrd: null, commandLine: 'quiet' }
    const loader = bootLoaders['grub/efi'] ?? expect.fail()
    expect(machine.startBootLoader(loader, cargo).start(kernel).outcome.kind).toBe('arrived')
  })

  test('headers are read once, by whoever asks first; a prepared image is a source, and is prepared', () => {
    const counted = countingSource(image.source)
    const prepared = prepareImage(counted)
    expect(counted.bytesRead()).toBe(0)
    expect(prepared.uki?.pe).toBe(prepared.parsed.pe)
    const read = counted.bytesRead()
    expect(prepared.parsed).toBe(prepared.parsed)
    expect(prepared.builder).toBe(prepared.builder)
    expect(prepared.uki).toBe(prepared.uki)
    expect(read).toBeGreaterThan(0)
    expect(prepareImage(prepared)).toBe(prepared)
    expect(prepareMachine(machine)).toBe(machine)
    expect([prepared.size, prepared.read(fileOffset(image.source.size), 4)]).toEqual([
      image.source.size,
      new Uint8Array(0),
    ])
  })

  test('what cannot be prepared is unusable: no PE file, no such firmware, a map of an unnamed image', () => {
    const text = prepareImage(bytesSource(new TextEncoder().encode('no image')))
    expect(text.uki).toBeNull()
    expect(text.builder).toBeNull()
    expect(() => machine.load(text)).toThrow(UsageError)
    expect(() => prepareMachine({ ...input, firmware: 'seabios' })).toThrow(UsageError)
    const late = prepareMachine({ ...input, taken: 'stub-entry' })
    expect(() => late.fork()).toThrow('taken at the entry of a stub')
    expect(() => late.load(image1)).toThrow(UsageError)
  })

  test('a map that was taken with the image loaded is laid out for each size of image', () => {
    const before = machine.load(image1).boot(stub).start(kernel).facts
    const map = [...machine.fork().machine.firmware.memoryMap()]
    const base = before.imageBase ?? expect.fail()
    const pages = Math.ceil((image1.uki?.pe.optional.SizeOfImage ?? 0) / 4096) * 4096
    const late = prepareMachine({
      ...input,
      taken: 'stub-entry',
      imageBase: base,
      map: map.flatMap(entry => {
        if (entry.type !== 7 || entry.range.start > base || base + pages > entry.range.end) return [entry]
        const head = { ...entry, range: rangeAt(entry.range.start, base - entry.range.start) }
        const rest = entry.range.end - base - pages
        return [
          head,
          { ...entry, type: 1, range: rangeAt(base, pages) },
          ...(rest > 0 ? [{ ...entry, range: rangeAt(base + pages, rest) }] : []),
        ]
      }),
    })
    for (let i = 0; i < 2; i++)
      expect(late.load(image1).boot(stub).start(kernel)).toMatchObject({
        outcome: { kind: 'arrived' },
        facts: { imageBase: base },
        assumptions: expect.arrayContaining([expect.objectContaining({ clause: 'FW-27' })]) as unknown,
      })
  })
})
