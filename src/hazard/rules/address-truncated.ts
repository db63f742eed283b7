/** address-truncated: an address did not fit the field in which it was passed. HZ-8. */
import { reportBroken } from '../broken-contract.ts'
import { rule } from '../rule.ts'

const CONTRACTS = ['HO-7', 'HO-8'] as const

export const addressTruncated = rule({
  id: 'address-truncated',
  class: 'breach',
  since: '0.1.0',
  clause: 'HZ-8',
  title: 'An address was truncated to 32 bits when it was passed',
  contracts: CONTRACTS,
  visit(recording, report) {
    reportBroken(recording, report, CONTRACTS, {
      object: contract => contract.found.find(extent => extent.whose !== null)?.whose?.object ?? null,
      why: () =>
        'the field of the setup header has 32 bits, and the high half (ext_ramdisk_image, ' +
        'ext_cmd_line_ptr) was not passed',
      fix: () =>
        'keep the image below 4 GiB (an ImageBase that is free there, or 0), or use a stub ' +
        'that passes the high half or copies low',
    })
  },
})
