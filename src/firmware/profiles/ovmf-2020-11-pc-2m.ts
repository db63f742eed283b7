/**
 * The memory map of Debian's OVMF 2020.11 on pc with 512 MiB, before BDS loads a boot option (chapter FW).
 * Source: GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle.
 */
import type { Profile } from './profile.ts'

export const OVMF_2020_11_PC_2M: Profile = {
  id: 'ovmf-2020.11-pc-2M',
  version: '2020.11',
  machine: 'pc',
  flash: '2M',
  row: 'edk2-2020.11',
  source: 'GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle',
  basis: 'uki',
  recorded: [256, 512, 1024, 2048],
  map: [
    '3:0+1 7:1000+9f 7:100000+700 a:800000+8 7:808000+8 a:810000+f0 4:900000+c00 7:1500000+1aa36 4:1bf36000+20 7:1bf56000+2539 4:1e48f000+560',
    '7:1e9ef000+1 4:1e9f0000+a 3:1e9fa000+9e 7:1ea98000+3 4:1ea9b000+3f 3:1eada000+21 4:1eafb000+5 3:1eb00000+7 4:1eb07000+2 3:1eb09000+17 4:1eb20000+1',
    '3:1eb21000+8 4:1eb29000+1 3:1eb2a000+1a 4:1eb44000+2 3:1eb46000+17 4:1eb5d000+b 3:1eb68000+f 4:1eb77000+1 3:1eb78000+7 4:1eb7f000+7 3:1eb86000+7',
    '4:1eb8d000+1 3:1eb8e000+c 4:1eb9a000+6 3:1eba0000+a 4:1ebaa000+2 3:1ebac000+9 4:1ebb5000+2 3:1ebb7000+f 4:1ebc6000+3 3:1ebc9000+a 4:1ebd3000+4',
    '3:1ebd7000+d 4:1ebe4000+2 3:1ebe6000+d 4:1ebf3000+8 3:1ebfb000+5 4:1ec00000+200 3:1ee00000+7 4:1ee07000+2 3:1ee09000+2 4:1ee0b000+2 3:1ee0d000+10',
    '4:1ee1d000+2 3:1ee1f000+80 4:1ee9f000+2 3:1eea1000+5 4:1eea6000+1 3:1eea7000+4 4:1eeab000+3 3:1eeae000+14 4:1eec2000+4 3:1eec6000+1 4:1eec7000+1',
    '3:1eec8000+7 4:1eecf000+7 3:1eed6000+4 4:1eeda000+8 3:1eee2000+1 4:1eee3000+1 3:1eee4000+2a 4:1ef0e000+2 3:1ef10000+5 4:1ef15000+6 3:1ef1b000+4',
    '6:1ef1f000+c1 4:1efe0000+400 3:1f3e0000+6f 4:1f44f000+7 3:1f456000+3 4:1f459000+3 3:1f45c000+1b 4:1f477000+4 3:1f47b000+3 4:1f47e000+2',
    '3:1f480000+5 4:1f485000+1 3:1f486000+1 4:1f487000+2 3:1f489000+3 4:1f48c000+2 3:1f48e000+3 4:1f491000+c 3:1f49d000+d 4:1f4aa000+2 3:1f4ac000+1',
    '4:1f4ad000+2 3:1f4af000+6 4:1f4b5000+1 3:1f4b6000+4 4:1f4ba000+1 3:1f4bb000+2 4:1f4bd000+2 3:1f4bf000+9 4:1f4c8000+3 3:1f4cb000+3 4:1f4ce000+421',
    '6:1f8ef000+100 5:1f9ef000+100 0:1faef000+80 9:1fb6f000+10 a:1fb7f000+80 4:1fbff000+201 7:1fe00000+f8 4:1fef8000+20 3:1ff18000+23 4:1ff3b000+9',
    '3:1ff44000+14 6:1ff58000+20 a:1ff78000+88 b:ffe00000+200',
  ],
}
