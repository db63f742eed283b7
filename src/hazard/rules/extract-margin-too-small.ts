/** extract-margin-too-small: in-place extraction overwrites input that is still to be read. HZ-17. */
import { formatRange } from '../../bytes/range.ts'
import { reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'

const CONTRACTS = ['ZO-28'] as const

export const extractMarginTooSmall = rule({
  id: 'extract-margin-too-small',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-17',
  title: 'In-place extraction overtakes its own input',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: () => 'kernel',
      why: contract =>
        'the decompressor is at the end of the init_size bytes and writes from their start' +
        (contract.range === null
          ? ''
          : `; at the worst point the output has overwritten ${formatRange(contract.range)}, ` +
            'which is still to be read'),
      fix: () =>
        'pass init_size as in the kernel file; if this is the value in the file, the kernel ' +
        'was built wrongly or modified after the build',
      found: 'the decompressor was modelled',
    })
  },
})
