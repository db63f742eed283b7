/** payload-virtual-size-mismatch: the stub gets more or fewer bytes of a payload than the file has. HZ-24. */
import { hex } from '../../bytes/range.ts'
import { parsePe } from '../../image/pe.ts'
import { alignUp } from '../../bytes/units.ts'
import { exactSize } from '../describe.ts'
import { eachOnce, listed } from '../listed.ts'
import { ADVICE_MAX, advice } from '../rule.ts'

/** The stub's own section, into whose larger room builders write a text of any length. */
const SLOT = '.sbat'

export const payloadVirtualSizeMismatch = advice({
  id: 'payload-virtual-size-mismatch',
  since: '0.1.0',
  clause: 'HZ-24',
  title: 'VirtualSize of a payload is not its length',
  inspect({ pe, uki }, report) {
    const step = Math.max(1, pe.optional.FileAlignment)
    const found = uki.sections.flatMap(({ section, object, payload, content }) => {
      const { name, VirtualSize, SizeOfRawData } = section
      if (!payload || VirtualSize === 0 || SizeOfRawData === 0) return []
      const longer = VirtualSize > SizeOfRawData
      if (!longer && (name === SLOT || SizeOfRawData - VirtualSize < step)) return []
      const [from, to] = longer ? [SizeOfRawData, VirtualSize] : [VirtualSize, SizeOfRawData]
      return [{ section, object, content, longer, from, to }]
    })
    const [first] = found
    if (first === undefined) return
    const shown = found.slice(0, ADVICE_MAX).map(one => ({
      ...one,
      own:
        one.longer &&
        one.section.name === '.linux' &&
        parsePe(one.content).pe?.optional.SizeOfImage === one.section.VirtualSize,
    }))
    report({
      object: first.object,
      ranges: [],
      offsets: [{ from: first.from, to: first.to }],
      what: listed(
        shown.map(
          ({ section: { name, VirtualSize, SizeOfRawData }, own }) =>
            `VirtualSize of ${name} is ${hex(VirtualSize)}, and its raw data has ` +
            `${hex(SizeOfRawData)} bytes${own ? '; that is SizeOfImage of the kernel' : ''}`,
        ),
        found.length,
      ),
      why: `stubs use VirtualSize as the length: ${eachOnce(
        shown.map(({ section: { name }, longer, from, to, own }) =>
          longer
            ? `${name} is followed by ${exactSize(to - from)} of zeroes, which are measured with it, ` +
              'so the digest in the event log is not that of the file' +
              (own ? '; ukify 257 to 257.2 writes such a VirtualSize' : '')
            : `${exactSize(to - from)} of raw data are not loaded, more than padding to ` +
              'FileAlignment explains',
        ),
      )}`,
      fix: eachOnce(
        shown.map(({ section: { name, VirtualSize, SizeOfRawData }, longer, own }) =>
          longer
            ? `set VirtualSize of ${name} to the length of its content, ${hex(SizeOfRawData)} or less` +
              (own ? ': build it with ukify 257.3 or later' : '')
            : `if all of ${name} is content, set its VirtualSize to the length of that; if not, set its ` +
              `SizeOfRawData to ${hex(alignUp<number>(VirtualSize, step))}`,
        ),
      ),
      legs: [],
    })
  },
})
