import { expect, it } from 'vitest'
import {
  boot_params,
  setup_header,
  setupHeaderAt,
  SETUP_HEADER_AT,
  SETUP_HEADER_SINCE,
} from '../../../../src/image/x86/boot-params.ts'

it('lays the setup header at 0x1f1 up to 0x26c in both the file and the zero page', () => {
  expect(SETUP_HEADER_AT).toBe(boot_params.fields.hdr[0])
  expect(SETUP_HEADER_AT + setup_header.size).toBe(0x26c)
  expect(boot_params.size).toBe(4096)
})

it.each([
  ['boot_flag', 0x1fe],
  ['header', 0x202],
  ['version', 0x206],
  ['code32_start', 0x214],
  ['ramdisk_image', 0x218],
  ['cmd_line_ptr', 0x228],
  ['kernel_alignment', 0x230],
  ['xloadflags', 0x236],
  ['payload_offset', 0x248],
  ['setup_data', 0x250],
  ['pref_address', 0x258],
  ['init_size', 0x260],
  ['kernel_info_offset', 0x268],
] as const)('has %s at %i', (field, at) => {
  expect(setupHeaderAt(field)).toBe(at)
})

it('knows the protocol version of every field from realmode_swtch on', () => {
  const late = Object.entries(setup_header.fields)
    .filter(([, [offset]]) => offset >= 0x17)
    .map(([name]) => name)
  expect(Object.keys(SETUP_HEADER_SINCE).sort()).toEqual(late.sort())
})
