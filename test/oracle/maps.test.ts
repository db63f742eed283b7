/**
 * Every allocation of the recorded boots lands on the recorded pages: the firmware's map at the stub's entry
 * and at the kernel's, page by page and type by type.
 */
import { describe, expect, test } from 'vitest'
import { check } from '../../src/check.ts'
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'
import type { Machine } from '../../src/machine/machine.ts'
import type { KernelModel, StubModel } from '../../src/machine/model.ts'
import { mapOf } from '../unit/firmware/recorded.ts'
import { rebuild } from './rebuild.ts'
import { readRecordings, type Recording } from './recording.ts'
import { machineFor } from './simulate.ts'

/** One word for each run of pages of one type, ascending: what a recording can show. */
function plain(map: readonly MemoryDescriptor[]): string[] {
  const joined: { type: number; start: number; end: number }[] = []
  for (const {
    type,
    range: { start, end },
  } of [...map].sort((a, b) => a.range.start - b.range.start)) {
    const last = joined.at(-1)
    if (last?.end === start && last.type === type) last.end = end
    else joined.push({ type, start, end })
  }
  return joined.map(
    ({ type, start, end }) =>
      `${type.toString(16)}:${start.toString(16)}+${((end - start) / 0x1000).toString(16)}`,
  )
}

/**
 * The simulated firmware's map when the stub or the kernel is entered; empty when the boot does not get
 * there.
 */
function mapAt(stage: 'stub' | 'kernel', recording: Recording): string[] {
  let seen: string[] = []
  const look = (machine: Machine) => {
    seen = plain(machine.firmware.memoryMap())
    return machine.gap('HO-1', 'only the map is wanted')
  }
  const onlooker: StubModel & KernelModel = { id: 'onlooker', boot: look, start: look }
  check({
    image: { name: recording.id, source: rebuild(recording) },
    machine: machineFor(recording),
    [stage]: onlooker,
  })
  return seen
}

const rows = readRecordings()
const at = (stage: 'stub' | 'kernel') =>
  rows.flatMap(recording => {
    const map = recording.trace[`efi_map_at_${stage}_entry`]
    return typeof map === 'string' ? [{ id: recording.id, recording, map: plain(mapOf(map)) }] : []
  })

test('there are maps to compare with', () => {
  expect([at('stub').length, at('kernel').length].map(count => count >= 100)).toEqual([true, true])
})

describe.each(['stub', 'kernel'] as const)('the map at the entry of the %s', stage => {
  test.each(at(stage))('$id', ({ recording, map }) => {
    expect(mapAt(stage, recording)).toEqual(map)
  })
})
