/** Two forms without words: the lines of a probe that calls GetMemoryMap, and the compact form of recorded boots. */
import { PAGE } from '../../bytes/units.ts'
import { ATTRIBUTE_UNSAID, eachLine, hexValue, type Dialect } from './model.ts'

const RAW_ROW = /^\s*MAP ([0-9a-f]{1,8}) ([0-9a-f]{1,16})-([0-9a-f]{1,16}) ([0-9a-f]{1,16})\s*$/i
const COMPACT_ROW = /^([0-9a-f]{1,8}):([0-9a-f]{1,16})\+([0-9a-f]{1,13})$/

export const raw: Dialect = {
  name: 'raw',
  kind: 'efi',
  title: 'a probe that prints GetMemoryMap',
  example: 'MAP 7 1500000-373fffff f\nMAP 6 37400000-374fffff 800000000000000f',
  taken: 'before-load',
  lacks: [],
  sniff: line => /^\s*MAP [0-9a-f]/i.test(line),
  read: eachLine('raw', line => {
    const match = RAW_ROW.exec(line)
    return match === null ? null : [{ type: Number(hexValue(match[1])), start: hexValue(match[2]), end: hexValue(match[3]) + 1n, attribute: hexValue(match[4]) }]
  }),
}

export const compact: Dialect = {
  name: 'compact',
  kind: 'efi',
  title: 'the compact form of recorded boots: type:start+pages',
  example: '7:1500000+35f00 6:37400000+100',
  taken: 'before-load',
  lacks: ['attributes'],
  sniff: line => /^\s*[0-9a-f]{1,8}:[0-9a-f]{1,16}\+[0-9a-f]/.test(line),
  read: eachLine('compact', line => {
    const matches = line.trim().split(/\s+/).map(word => COMPACT_ROW.exec(word))
    const rows = matches.flatMap(match => (match === null ? [] : [{ type: Number(hexValue(match[1])), start: hexValue(match[2]), end: hexValue(match[2]) + hexValue(match[3]) * BigInt(PAGE), attribute: ATTRIBUTE_UNSAID }]))
    return rows.length === matches.length ? rows : null
  }),
}
