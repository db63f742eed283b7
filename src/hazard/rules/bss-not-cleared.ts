/** bss-not-cleared: the kernel is entered with non-zero bytes in its .bss. HZ-7. */
import { hex } from '../../bytes/range.ts'
import { intruders, reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'
import { baseOf, some } from '../describe.ts'

const CONTRACTS = ['HO-5', 'HO-6'] as const

export const bssNotCleared = rule({
  id: 'bss-not-cleared',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-7',
  title: 'The .bss of the kernel is not zero at its entry',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: () => 'kernel',
      why: contract => {
        const found = intruders(contract)
        return (
          'the .bss follows the bytes of the kernel file; without a PE loader, the caller has ' +
          `to clear it${found.length === 0 ? '' : `; it contains ${some(found)}`}`
        )
      },
      fix: contract => {
        const kernel = baseOf(recording.events, 'kernel', contract.id)
        const room =
          contract.range === null || kernel === null || kernel > contract.range.start
            ? ''
            : `, or enter it in place with nothing else below .linux + ${hex(contract.range.end - kernel)}`
        return (
          'copy the kernel to an allocation of SizeOfImage bytes and zero everything past its ' +
          `file${room}`
        )
      },
    })
  },
})
