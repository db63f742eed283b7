/** bss-not-cleared: the kernel is entered with something else than zeroes in its .bss. HZ-7. */
import { formatRange } from '../../bytes/range.ts'
import { intruders, reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'
import { some } from '../words.ts'

export const bssNotCleared = rule({
  id: 'bss-not-cleared',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-7',
  title: 'The .bss of the kernel is not zero at its entry',
  visit(recording, report) {
    reportBroken(recording, report, 'bss-not-cleared', {
      object: () => 'kernel',
      why: contract => {
        const found = intruders(contract)
        return `the .bss lies behind the bytes of the kernel file; whoever starts the kernel without a PE loader has to clear it${found.length === 0 ? '' : `, but it holds ${some(found)}`}`
      },
      fix: contract => `zero ${contract.range === null ? 'the memory behind the kernel file' : formatRange(contract.range)} before the entry, after copying the kernel to an allocation of SizeOfImage bytes`,
    })
  },
})
