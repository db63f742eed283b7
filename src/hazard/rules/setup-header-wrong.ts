/** setup-header-wrong: the kernel cannot rely on the boot_params that the loader passed. HZ-16. */
import { hex } from '../../bytes/range.ts'
import { reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'

const CONTRACTS = ['HO-1', 'HO-2', 'HO-3', 'HO-9'] as const

export const setupHeaderWrong = rule({
  id: 'setup-header-wrong',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-16',
  title: 'The setup header in boot_params is wrong',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: () => 'boot_params',
      why: contract =>
        'the loader must fill boot_params from the header of the kernel file and zero the ' +
        `rest${contract.range === null ? '' : `; the bytes at ${hex(contract.range.start)} differ`}`,
      fix: () =>
        "zero boot_params, copy the kernel's setup header up to the length it states, and " +
        'only then fill in fields',
    })
  },
})
