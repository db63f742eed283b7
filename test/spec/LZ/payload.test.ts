import { expect, test } from 'vitest'
import { bytesSource } from '../../../src/bytes/source.ts'
import { check } from '../../../src/check.ts'
import { lanzaboote, scenario, type LanzabooteOptions } from '../../../src/vitest/index.ts'
import { boot, SMALL, WHERE } from '../../support/lanzaboote-runs.ts'

const outcome = (
  release: NonNullable<LanzabooteOptions['release']>,
  wrongHash: 'kernel' | 'initrd',
  secureBoot: boolean,
) => boot({ release, wrongHash }, { secureBoot, deep: true })

test('LZ-6 wants the files that the image names', () => {
  const { image, linux, initrd } = lanzaboote({ kernel: SMALL, initrd: 4096 })
  if (linux === undefined || initrd === undefined) throw new Error('thin')
  const gap = (files: object) => check(scenario({ image, ...WHERE, ...files })).report
  expect(gap({})).toMatchObject({
    verdict: 'unknown',
    outcome: {
      gap: {
        clause: 'LZ-6',
        why:
          'the image names its kernel as \\EFI\\nixos\\kernel-1.efi on the ESP and does ' +
          'not embed it: give the file',
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

test('LZ-10 gives another kernel to the firmware', () => {
  expect(outcome('0.3.0', 'kernel', false).clauses.has('LZ-18')).toBe(false)
  expect(outcome('0.3.0', 'kernel', false).report.facts.handOff).toMatchObject({ entryMethod: 'pe-entry' })
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
  expect(report.facts.handOff).toMatchObject({ entryMethod: 'pe-entry' })
  expect(report.assumptions.map(({ clause }) => clause)).toContain('LZ-11')
})

test('LZ-12 refuses always', () => {
  expect(outcome('1.1.0', 'kernel', false).report.outcome).toMatchObject({
    refusal: { clause: 'LZ-12', message: 'Kernel hash does not match!' },
  })
  expect(boot({}, { deep: true }).report.assumptions.map(({ clause }) => clause)).not.toContain('LZ-10')
})
