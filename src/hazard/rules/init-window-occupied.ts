/** init-window-occupied: something still needed is where the kernel may write. HZ-6. */
import { formatRange, formatSize, hex, sizeOf } from '../../bytes/range.ts'
import { alignUp, PAGE } from '../../bytes/units.ts'
import { intruders, reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'
import { baseOf, sectionOf, some } from '../describe.ts'

const CONTRACTS = ['HO-4', 'HO-17'] as const

export const initWindowOccupied = rule({
  id: 'init-window-occupied',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-6',
  title: 'The memory that the kernel may write before it reads the memory map is not free',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: contract => contract.found.find(extent => extent.whose !== null)?.whose?.object ?? null,
      why: contract => {
        const found = intruders(contract)
        const window =
          contract.range === null
            ? 'init_size bytes from its start'
            : `${formatRange(contract.range)} (${formatSize(sizeOf(contract.range))})`
        return (
          'the kernel may write ' +
          `${window}${found.length === 0 ? '' : `; this memory contains ${some(found)}`}`
        )
      },
      fix: contract => {
        const kernel = baseOf(recording.events, 'kernel', contract.id)
        const victim = contract.found.find(extent => extent.whose !== null)?.whose?.object
        if (contract.range === null)
          return 'reserve init_size bytes from the start of the kernel for the kernel'
        const end =
          kernel === null || kernel > contract.range.end
            ? `at or beyond ${hex(contract.range.end)}`
            : `at or beyond .linux + ${hex(alignUp<number>(contract.range.end - kernel, PAGE))}`
        return (
          `let ${victim === undefined ? 'the next section' : sectionOf(victim)} start ${end}, ` +
          'and what follows it after that, or start the kernel in memory of its own'
        )
      },
    })
  },
})
