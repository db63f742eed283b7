import { expect, expectTypeOf, test } from 'vitest'
import '../../../src/vitest/index.ts'
import { check } from '../../../src/check.ts'
import { UsageError } from '../../../src/bytes/errors.ts'
import { memoryMap, scenario, uki, type BootMatchers } from '../../../src/vitest/index.ts'

const good = scenario({ image: { initrd: '4M' } })
/** The 6.12 kernel, entered through the handover, clears the .bss after its file: the initrd begins there. */
const packed = scenario({ image: { stub: '247.3', initrd: '4M' } })
const refused = scenario({ image: { initrd: '4M' }, ram: '128M' })

/** What a failing expectation says. */
function failure(body: () => void): string {
  try {
    body()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it passed')
}

test('a clean boot boots cleanly, keeps its initrd and its contracts', () => {
  expect(good).toBootCleanly()
  expect(check(good)).toBootCleanly()
  expect(good).toKeep('initrd')
  expect(good).not.toHaveHazard('clobbered-object')
  expect(good).not.toBeRefused()
  expect(packed).not.toBootCleanly()
  expect(packed).not.toKeep('initrd')
})

test('a hazard is found by rule, object, class and clause', () => {
  expect(packed).toHaveHazard('clobbered-object')
  expect(packed).toHaveHazard('clobbered-object', { object: 'initrd', class: 'damage', clause: 'HZ-2' })
  expect(packed).not.toHaveHazard('clobbered-object', { object: 'kernel' })
  expect(packed).not.toHaveHazard('clobbered-object', { class: 'breach' })
  expect(packed).not.toHaveHazard('clobbered-object', { clause: 'HZ-3' })
  expect(packed).toHaveHazard('no-room-for-init-size', { class: 'advice' })
})

test('a refusal is matched by whoever refuses and by what it says', () => {
  const { outcome } = check(refused).report
  if (outcome.kind !== 'refused') throw new Error(`the boot ended as ${outcome.kind}`)
  const { by, status, clause, message } = outcome.refusal
  expect(refused).toBeRefused()
  expect(refused).toBeRefused({ by, status, clause, message })
  expect(refused).not.toBeRefused({ by: 'kernel' })
  expect(refused).not.toBeRefused({ status: 'EFI_NOT_FOUND' })
})

test('a contract is kept when it was evaluated and held', () => {
  const evaluated = check(packed).runs.flatMap(run =>
    run.recording.events.filter(event => event.op === 'contract'),
  )
  const broken = evaluated.find(event => !event.kept)
  const kept = evaluated.find(event => event.kept)
  expect(packed).toKeepContract(String(kept?.clause))
  expect(packed).not.toKeepContract(String(broken?.clause))
  expect(
    failure(() => {
      expect(packed).toKeepContract('x-none')
    }),
  ).toContain('the contract x-none to be kept')
})

test('a failure shows the report', () => {
  for (const message of [
    failure(() => {
      expect(packed).toBootCleanly()
    }),
    failure(() => {
      expect(packed).toKeep('initrd')
    }),
    failure(() => {
      expect(packed).toBeRefused()
    }),
    failure(() => {
      expect(packed).not.toHaveHazard('clobbered-object')
    }),
    failure(() => {
      expect(packed).toHaveHazard('wild-read')
    }),
  ])
    expect(message).toMatch(/^expected .*\n\nuki {2}[^]*verdict {2}damage/)
  expect(
    failure(() => {
      expect(good).not.toBootCleanly()
    }),
  ).toMatch(/^expected the boot not to be clean/)
  expect(
    failure(() => {
      expect(good).not.toKeep('initrd')
    }),
  ).toMatch(/^expected initrd not to be kept/)
  expect(
    failure(() => {
      expect(refused).not.toBeRefused()
    }),
  ).toMatch(/^expected the boot not to be refused/)
})

test('an object that nobody read was not kept', () => {
  expect(refused).not.toKeep('initrd')
  expect(good).not.toKeep('nothing')
})

test('a scenario takes a file or a recipe, RAM and profile or a map', () => {
  expect(scenario({ image: uki({ initrd: '1M' }), name: 'mine.efi' }).image.name).toBe('mine.efi')
  expect(scenario({ image: {} }).machine.what).toMatch(/^profile ovmf-/)
  expect(scenario({ image: {}, ram: '8G' }).machine.assumptions).toHaveLength(1)
  const map = memoryMap(['EfiConventionalMemory', 0, '640K'], ['EfiConventionalMemory', '1M', '512M'])
  const own = scenario({
    image: { initrd: '1M' },
    map,
    imageBase: '0x10000000',
    contents: 'poison',
    kaslr: 'off',
  })
  expect(own).toMatchObject({
    kaslr: 'off',
    machine: { map, imageBase: 0x10000000, contents: 'poison', what: 'a map of 2 lines' },
  })
  expect(check(own).report.facts.imageBase).toBe(0x10000000)
  expect(() => scenario({ image: {}, map, ram: '1G' })).toThrow(UsageError)
  expect(() => scenario({ image: {}, firmware: 'bios' })).toThrow(UsageError)
})

test('the matchers are typed', () => {
  expectTypeOf(expect(good)).toExtend<BootMatchers>()
  expectTypeOf(expect(good).not).toExtend<BootMatchers>()
  expectTypeOf<Parameters<BootMatchers['toKeep']>>().toEqualTypeOf<[object: string]>()
  expect(() => {
    // @ts-expect-error a rule is a text
    expect(good).toHaveHazard(5)
  }).toThrow()
  // @ts-expect-error refusals have no colour
  expect(good).not.toBeRefused({ colour: 'red' })
})
