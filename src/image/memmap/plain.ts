/**
 * Two forms without words: the lines of a probe that calls GetMemoryMap, and the compact form of recorded
 * boots.
 */
import { PAGE } from '../../bytes/units.ts'
import { groupsOf } from '../groups.ts'
import { ATTRIBUTE_UNSAID, eachLine, hexValue, type Dialect } from './model.ts'

const readRawRow = groupsOf(
  /^\s*MAP ([0-9a-f]{1,8}) ([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([0-9a-f]{1,16})\s*$/i,
  4,
)
const readCompactRow = groupsOf(/^([0-9a-f]{1,8}):([0-9a-f]{1,16})\+([0-9a-f]{1,13})$/, 3)

export const raw: Dialect<'raw'> = {
  name: 'raw',
  kind: 'efi',
  title: 'a probe that prints GetMemoryMap',
  example: 'MAP 7 1500000-373fffff f\nMAP 6 37400000-374fffff 800000000000000f',
  taken: 'before-load',
  lacks: [],
  looks: /(?<!\w)MAP [0-9a-f]{1,8} [0-9a-f]{1,16}(?=-|\s{0,40}$)/gi,
  row: /MAP [0-9a-f]{1,8} [0-9a-f]{1,16}-[0-9a-f]{1,16} [0-9a-f]{1,16}(?!\w)/iy,
  wide: false,
  ...eachLine('raw', line => {
    const row = readRawRow(line)
    if (row === null) return null
    const [type, start, last, attribute] = row
    return [
      {
        type: Number(hexValue(type)),
        start: hexValue(start),
        end: hexValue(last) + 1n,
        attribute: hexValue(attribute),
      },
    ]
  }),
}

export const compact: Dialect<'compact'> = {
  name: 'compact',
  kind: 'efi',
  title: 'the compact form of recorded boots: type:start+pages',
  example: '7:1500000+35f00 6:37400000+100',
  taken: 'before-load',
  lacks: ['attributes'],
  looks: /(?<=^[>|+\s]{0,40})[0-9a-f]{1,8}:[0-9a-f]{1,16}\+[0-9a-f]/g,
  row: /(?:[0-9a-f]{1,8}:[0-9a-f]{1,16}\+[0-9a-f]{1,13}\s{0,9})+$/y,
  wide: false,
  hint: /^[>|+\s]{0,40}[0-9a-f]{1,8}:[0-9a-f]{1,16}\+/,
  repeats: true,
  ...eachLine('compact', line => {
    const words = line.trim().split(/\s+/).map(readCompactRow)
    const rows = words.flatMap(word => {
      if (word === null) return []
      const [type, at, pages] = word
      const start = hexValue(at)
      return [
        {
          type: Number(hexValue(type)),
          start,
          end: start + hexValue(pages) * BigInt(PAGE),
          attribute: ATTRIBUTE_UNSAID,
        },
      ]
    })
    return rows.length === words.length ? rows : null
  }),
}
