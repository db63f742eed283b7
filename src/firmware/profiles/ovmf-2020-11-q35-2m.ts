/**
 * The memory map of Debian's OVMF 2020.11 on q35 with 512 MiB, before BDS loads a boot option (chapter FW).
 * Source: GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle.
 */
import type { Profile } from './profile.ts'

export const OVMF_2020_11_Q35_2M: Profile = {
  id: 'ovmf-2020.11-q35-2M',
  version: '2020.11',
  machine: 'q35',
  flash: '2M',
  row: 'edk2-2020.11',
  source: 'GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle',
  basis: 'uki',
  recorded: [256, 512, 1024, 2048],
  map: [
    '3:0+1 7:1000+9f 7:100000+700 a:800000+8 7:808000+8 a:810000+f0 4:900000+c00 7:1500000+1aa36 4:1bf36000+20 7:1bf56000+2539 4:1e48f000+568',
    '7:1e9f7000+3 4:1e9fa000+8 3:1ea02000+9e 4:1eaa0000+3d 3:1eadd000+5 4:1eae2000+1 3:1eae3000+20 4:1eb03000+3 3:1eb06000+22 4:1eb28000+4 3:1eb2c000+6',
    '4:1eb32000+3 3:1eb35000+17 4:1eb4c000+5 3:1eb51000+14 4:1eb65000+b 3:1eb70000+f 4:1eb7f000+2 3:1eb81000+14 4:1eb95000+7 3:1eb9c000+1a 4:1ebb6000+3',
    '3:1ebb9000+e 4:1ebc7000+3 3:1ebca000+a 4:1ebd4000+3 3:1ebd7000+b 4:1ebe2000+1 3:1ebe3000+2 4:1ebe5000+2 3:1ebe7000+d 4:1ebf4000+2 3:1ebf6000+a',
    '4:1ec00000+203 3:1ee03000+2 4:1ee05000+2 3:1ee07000+a 4:1ee11000+2 3:1ee13000+2 4:1ee15000+2 3:1ee17000+73 4:1ee8a000+3 3:1ee8d000+13 4:1eea0000+1',
    '3:1eea1000+5 4:1eea6000+1 3:1eea7000+4 4:1eeab000+2 3:1eead000+14 4:1eec1000+5 3:1eec6000+8 4:1eece000+8 3:1eed6000+4 4:1eeda000+8 3:1eee2000+1',
    '4:1eee3000+1 3:1eee4000+2a 4:1ef0e000+2 3:1ef10000+5 4:1ef15000+6 3:1ef1b000+4 6:1ef1f000+c1 4:1efe0000+400 3:1f3e0000+6f 4:1f44f000+7',
    '3:1f456000+3 4:1f459000+3 3:1f45c000+1b 4:1f477000+4 3:1f47b000+3 4:1f47e000+2 3:1f480000+5 4:1f485000+1 3:1f486000+1 4:1f487000+1 3:1f488000+1',
    '4:1f489000+1 3:1f48a000+2 4:1f48c000+3 3:1f48f000+3 4:1f492000+b 3:1f49d000+d 4:1f4aa000+2 3:1f4ac000+1 4:1f4ad000+2 3:1f4af000+a 4:1f4b9000+1',
    '3:1f4ba000+1 4:1f4bb000+1 3:1f4bc000+1 4:1f4bd000+1 3:1f4be000+9 4:1f4c7000+4 3:1f4cb000+3 4:1f4ce000+421 6:1f8ef000+100 5:1f9ef000+100',
    '0:1faef000+80 9:1fb6f000+10 a:1fb7f000+80 4:1fbff000+201 7:1fe00000+f8 4:1fef8000+20 3:1ff18000+23 4:1ff3b000+9 3:1ff44000+14 6:1ff58000+20',
    'a:1ff78000+88 0:b0000000+10000 b:ffe00000+200',
  ],
}
