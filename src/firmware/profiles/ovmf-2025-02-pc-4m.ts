/**
 * The memory map of Debian's OVMF 2025.02 on pc with 512 MiB, before BDS loads a boot option (chapter FW).
 * Source: GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle.
 */
import type { Profile } from './profile.ts'

export const OVMF_2025_02_PC_4M: Profile = {
  id: 'ovmf-2025.02-pc-4M',
  version: '2025.02',
  machine: 'pc',
  flash: '4M',
  row: 'edk2-2025.02',
  source: 'GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle',
  basis: 'uki',
  recorded: [256, 512, 1024],
  imageRecord: 'room',
  map: [
    '7:0+a0 7:100000+700 a:800000+8 7:808000+3 a:80b000+1 7:80c000+5 a:811000+ef 4:900000+e80 7:1780000+1a3ec 4:1bb6c000+20 7:1bb8c000+25cb',
    '4:1e157000+561 3:1e6b8000+f6 7:1e7ae000+1 4:1e7af000+16 7:1e7c5000+3 4:1e7c8000+6 7:1e7ce000+1 4:1e7cf000+55 3:1e824000+23 4:1e847000+3',
    '3:1e84a000+8 4:1e852000+52 3:1e8a4000+21 4:1e8c5000+1 3:1e8c6000+3 4:1e8c9000+3 3:1e8cc000+7 4:1e8d3000+3 3:1e8d6000+f 4:1e8e5000+1 3:1e8e6000+2',
    '4:1e8e8000+2 3:1e8ea000+b 4:1e8f5000+2 3:1e8f7000+5 4:1e8fc000+2 3:1e8fe000+7 4:1e905000+5 3:1e90a000+26 4:1e930000+1 3:1e931000+b 4:1e93c000+3',
    '6:1e93f000+c1 4:1ea00000+200 3:1ec00000+1a 4:1ec1a000+1 3:1ec1b000+1 4:1ec1c000+4 3:1ec20000+8 4:1ec28000+1 3:1ec29000+2 4:1ec2b000+5 3:1ec30000+a',
    '4:1ec3a000+6 3:1ec40000+12 4:1ec52000+3 3:1ec55000+6 4:1ec5b000+1 3:1ec5c000+1 4:1ec5d000+4 3:1ec61000+14 4:1ec75000+3 3:1ec78000+4 4:1ec7c000+4',
    '3:1ec80000+b 4:1ec8b000+5 3:1ec90000+16 4:1eca6000+1 3:1eca7000+1 4:1eca8000+1 3:1eca9000+e 4:1ecb7000+3 3:1ecba000+1 4:1ecbb000+1 3:1ecbc000+3',
    '4:1ecbf000+2 3:1ecc1000+18 4:1ecd9000+2 3:1ecdb000+1 4:1ecdc000+1 3:1ecdd000+1 4:1ecde000+412 3:1f0f0000+4 4:1f0f4000+2 3:1f0f6000+6 4:1f0fc000+6',
    '3:1f102000+c 4:1f10e000+1 3:1f10f000+3 4:1f112000+3db 6:1f4ed000+100 5:1f5ed000+100 0:1f6ed000+80 9:1f76d000+12 a:1f77f000+80 4:1f7ff000+601',
    '7:1fe00000+6f 4:1fe6f000+20 3:1fe8f000+33 0:1fec2000+4 a:1fec6000+2 3:1fec8000+1 4:1fec9000+11 3:1feda000+1a 6:1fef4000+84 a:1ff78000+88',
    'b:ffc00000+400 0:fd00000000+300000',
  ],
}
