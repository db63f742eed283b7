/** The changes of lanzaboote's stub say the same as its 8 rows did. */
import { describe, expect, test } from 'vitest'
import { bytesSource, sparseSource, type ByteSource } from '../../src/bytes/source.ts'
import { check, type CheckInput } from '../../src/check.ts'
import { parsePe } from '../../src/image/pe.ts'
import { canonical } from '../../src/releases/change.ts'
import { faultsOf } from '../../src/releases/history.ts'
import { particularsOf } from '../../src/machine/told.ts'
import { lanzabooteEras } from '../../src/stub/lanzaboote/eras.ts'
import { fatHistory, thinHistory } from '../../src/stub/lanzaboote/history.ts'
import type { LanzabooteBehaviour } from '../../src/stub/lanzaboote/behaviour.ts'
import { kernel, lanzaboote, scenario } from '../../src/vitest/index.ts'
import { LANZABOOTE_RELEASES } from '../../src/vitest/lanzaboote.ts'
import { lanzabooteEras as rows } from './old-lanzaboote/eras.ts'

const SMALL = kernel('6.12.107-cloud', { size: '256K' })

test('the tables have no faults, and the eras are the rows', () => {
  expect([...faultsOf(thinHistory), ...faultsOf(fatHistory)]).toEqual([])
  expect(
    lanzabooteEras.map(({ id, title, spans, seen, names }) => ({ id, title, spans, seen, names })),
  ).toEqual(rows.map(({ id, title, spans, seen, names }) => ({ id, title, spans, seen, names })))
})

/** A step by its name and all that its row told it. */
function cellKey(cell: unknown): string {
  if (typeof cell === 'function') return `${cell.name}(${cellKey(particularsOf(cell) ?? {})})`
  if (Array.isArray(cell)) return `[${cell.map(cellKey).join()}]`
  if (typeof cell === 'object' && cell !== null)
    return `{${Object.entries(cell)
      .map(([name, value]) => `${name}:${cellKey(value)}`)
      .join()}}`
  return JSON.stringify([cell])
}

describe('a cell is one data, and data are one cell:', () => {
  test.each(['configuration', 'payload', 'trust', 'commandLine', 'initrd'] as const)('%s', slot => {
    const pairs = rows.map((row, i) => ({
      cell: cellKey(row[slot]),
      data: canonical((lanzabooteEras[i]?.behaviour as LanzabooteBehaviour)[slot]),
    }))
    for (const { cell, data } of pairs) {
      expect(new Set(pairs.filter(one => one.cell === cell).map(one => one.data)).size).toBe(1)
      expect(new Set(pairs.filter(one => one.data === data).map(one => one.cell)).size).toBe(1)
    }
  })
})

/** The image with another VirtualSize in the header of a section. */
function resized(image: ByteSource, name: string, by: number): ByteSource {
  const { pe } = parsePe(image)
  const section = pe?.sections.find(one => one.name === name)
  if (pe === null || section === undefined) return image
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, section.VirtualSize + by, true)
  return sparseSource(image.size, [
    { at: 0, source: image },
    { at: pe.sectionTable + 40 * section.index + 8, source: bytesSource(bytes) },
  ])
}

test('every row and its era report and record the same run', () => {
  let runs = 0
  const images = LANZABOOTE_RELEASES.flatMap(release =>
    [false, true].flatMap(fat =>
      fat && !['0.4.1', '0.4.2'].includes(release)
        ? []
        : [4099].flatMap(initrd =>
            [undefined, 'initrd'].map(wrongHash =>
              lanzaboote({
                release,
                fat,
                kernel: SMALL,
                initrd,
                ...(wrongHash === undefined || fat ? {} : { wrongHash: wrongHash as 'kernel' }),
              }),
            ),
          ),
    ),
  )
  const variants = images.flatMap(made => [
    made,
    { ...made, image: resized(made.image, '.cmdline', 0x1000) },
    { ...made, image: resized(made.image, '.linuxh', -1) },
    { image: made.image },
  ])
  const machines: Partial<Omit<CheckInput, 'image' | 'machine'>>[] = [
    {},
    { secureBoot: true, deep: true },
    { loadOptions: 'quiet splash', deep: true },
  ]
  for (const made of variants)
    for (const more of machines)
      rows.forEach((row, i) => {
        const era = lanzabooteEras[i]
        if (era === undefined) throw new Error(row.id)
        const report = (stub: unknown): string =>
          JSON.stringify(
            check(scenario({ ...made, ram: '256M', ...more, stub: stub as typeof era })),
            (key, value: unknown) =>
              key === 'commits' || key === 'behaviour' || key === 'source'
                ? undefined
                : typeof value === 'bigint'
                  ? String(value)
                  : value,
          )
        expect(report(era)).toBe(report(row))
        runs++
      })
  expect(runs).toBeGreaterThan(500)
}, 600_000)
