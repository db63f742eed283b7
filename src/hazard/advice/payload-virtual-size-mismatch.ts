/** payload-virtual-size-mismatch: the stub gets more or fewer bytes of a payload than the file has. HZ-24. */
import { hex } from '../../bytes/range.ts'
import { parsePe } from '../../image/pe.ts'
import { advice } from '../rule.ts'
import { exactSize } from '../describe.ts'

/** The stub's own section, into whose larger room builders write a text of any length. */
const SLOT = '.sbat'

export const payloadVirtualSizeMismatch = advice({
  id: 'payload-virtual-size-mismatch',
  since: '0.1.0',
  clause: 'HZ-24',
  title: 'VirtualSize of a payload is not its length',
  inspect({ pe, uki }, report) {
    const step = Math.max(1, pe.optional.FileAlignment)
    for (const { section, object, payload, content } of uki.sections) {
      const { name, VirtualSize, SizeOfRawData } = section
      if (!payload || VirtualSize === 0 || SizeOfRawData === 0) continue
      const longer = VirtualSize > SizeOfRawData
      if (!longer && (name === SLOT || SizeOfRawData - VirtualSize < step)) continue
      const own = longer && name === '.linux' && parsePe(content).pe?.optional.SizeOfImage === VirtualSize
      const [from, to] = longer ? [SizeOfRawData, VirtualSize] : [VirtualSize, SizeOfRawData]
      report({
        object,
        ranges: [],
        offsets: [{ from, to }],
        what:
          `VirtualSize of ${name} is ${hex(VirtualSize)}, and its raw data has ` +
          `${hex(SizeOfRawData)} bytes${own ? '; that is SizeOfImage of the kernel' : ''}.`,
        why: longer
          ? `stubs use VirtualSize as the length: ${name} is followed by ${exactSize(to - from)} ` +
            'of zeroes, which are measured with it, so the digest in the event log is not that ' +
            `of the file${own ? '; ukify 257 to 257.2 writes such a VirtualSize' : ''}`
          : `stubs use VirtualSize as the length: ${exactSize(to - from)} of raw data are not ` +
            'loaded, more than padding to FileAlignment explains',
        fix:
          `set VirtualSize of ${name} to the length of its ` +
          `content${own ? ': build it with ukify 257.3 or later' : ''}`,
        legs: [],
      })
    }
  },
})
