/**
 * A boot that was refused was refused by the one who is named, with the status and the words that stood on
 * the console.
 */
import { describe, expect, test } from 'vitest'
import type { Refusal } from '../../src/machine/machine.ts'
import { isJudged } from './judged.ts'
import { endingOf, readRecordings, type Recording } from './recording.ts'
import { reportOn } from './simulate.ts'

const refused = readRecordings().filter(row => isJudged(row) && endingOf(row) === 'refused')

/** `Out of Resources` as a status. */
const statusOf = (words: string): string => `EFI_${words.toUpperCase().replaceAll(' ', '_')}`

/**
 * What the firmware's boot manager said last: of Boot0001, at loading or at starting it, and the status in
 * words.
 */
function saidByFirmware(recording: Recording): { readonly at: 'load' | 'start'; readonly status: string } {
  const line = (recording.serial.errors ?? []).find(
    text => text.startsWith('BdsDxe: failed to ') && text.includes(' Boot0001 '),
  )
  const found = /^BdsDxe: failed to (load|start) .*: ([A-Za-z ]+)$/.exec(line ?? '')
  if (found === null) throw new Error(`${recording.id}: the firmware said nothing`)
  return { at: found[1] === 'load' ? 'load' : 'start', status: statusOf(found[2] ?? '') }
}

/** The lines of stub and kernel, without the prefixes that they print. */
function saidBefore(recording: Recording): string[] {
  const lines = (recording.serial.errors ?? []).filter(text => !text.startsWith('BdsDxe: '))
  return lines.map(text => text.replace(/^(EFI stub: [A-Z]+|\.\.\/src\/\S+@\w+): /, ''))
}

const refusals = new Map<Recording, Refusal>()

function refusalOf(recording: Recording): Refusal {
  const known = refusals.get(recording)
  if (known !== undefined) return known
  const { outcome } = reportOn(recording)
  if (outcome.kind !== 'refused') throw new Error(`${recording.id}: ${outcome.kind}`)
  refusals.set(recording, outcome.refusal)
  return outcome.refusal
}

test('there are refusals by firmware, stub and kernel', () => {
  expect(refused.length).toBeGreaterThanOrEqual(10)
  expect([...new Set(refused.map(row => refusalOf(row).by))].sort()).toEqual(['efi-stub', 'firmware', 'stub'])
})

describe('the one who refuses, the status and the words', () => {
  test.each(refused)('$id', recording => {
    const { by, status, message } = refusalOf(recording)
    expect({ at: by === 'firmware' ? 'load' : 'start', status }).toEqual(saidByFirmware(recording))
    const lines = (message ?? '').split('\n')
    for (const line of saidBefore(recording)) {
      // The stub above a kernel that gave up prints the status in its own words
      const [, words] = /^Error starting kernel image: ([A-Za-z ]+)$/.exec(line) ?? []
      if (words === undefined) expect(lines).toContain(line)
      else expect(statusOf(words)).toBe(status)
    }
  })
})

describe('128 MiB are too few in four ways', () => {
  const FAILED =
    'Failed to allocate usable memory for kernel.\nefi_relocate_kernel() failed!\nefi_main() failed!'
  test.each([
    [
      'g-ram/247.3/5.10/128',
      'firmware',
      'EFI_OUT_OF_RESOURCES',
      'PE-12',
      'BdsDxe: failed to load … : Out of Resources',
    ],
    ['g-packed/247.3/5.10/128', 'efi-stub', 'EFI_NOT_FOUND', 'EP-17', FAILED],
    [
      'g-packed/257.13/5.10/128',
      'stub',
      'EFI_OUT_OF_RESOURCES',
      'ST-28',
      'Error loading kernel image: Out of resources',
    ],
    [
      'g-packed/247.3/6.12/128',
      'efi-stub',
      'EFI_OUT_OF_RESOURCES',
      'EP-21',
      'Failed to decompress kernel\nefi_stub_entry() failed!',
    ],
  ])('%s: %s %s %s', (id, by, status, clause, message) => {
    const recording = refused.find(row => row.id === id)
    if (recording === undefined) throw new Error(`no recording ${id}`)
    expect(recording.ram_mib).toBe(128)
    expect(refusalOf(recording)).toMatchObject({ by, status, clause, message })
  })
})
