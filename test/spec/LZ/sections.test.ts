import { expect, test } from 'vitest'
import { bytesSource, sparseSource, type ByteSource } from '../../../src/bytes/source.ts'
import { check } from '../../../src/check.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { lanzaboote, scenario, type LanzabooteOptions } from '../../../src/vitest/index.ts'
import { boot, SMALL, WHERE } from '../../support/lanzaboote-runs.ts'

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
