/**
 * setup-header-wrong: the boot_params that a loader handed over are none that the kernel may rely on. HZ-16.
 */
import { hex } from '../../bytes/range.ts'
import { reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'

const CONTRACTS = ['HO-1', 'HO-2', 'HO-3', 'HO-9'] as const

export const setupHeaderWrong = rule({
  id: 'setup-header-wrong',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-16',
  title: 'The setup header in boot_params is not as the kernel expects it',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: () => 'boot_params',
      why: contract =>
        `the loader fills boot_params from the header of the kernel file and zeroes the rest${contract.range === null ? '' : `; what lies at ${hex(contract.range.start)} is something else`}`,
      fix: () =>
        'zero boot_params, copy the setup header of the kernel up to the length that it states, and only then fill in fields',
    })
  },
})
