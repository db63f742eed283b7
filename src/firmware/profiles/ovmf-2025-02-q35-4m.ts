/**
 * The memory map of Debian's OVMF 2025.02 on q35 with 512 MiB, before BDS loads a boot option (chapter FW).
 * Source: GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle.
 */
import type { Profile } from './profile.ts'

export const OVMF_2025_02_Q35_4M: Profile = {
  id: 'ovmf-2025.02-q35-4M',
  version: '2025.02',
  machine: 'q35',
  flash: '4M',
  row: 'edk2-2025.02',
  source: 'GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle',
  basis: 'uki',
  recorded: [256, 512, 1024],
  imageRecord: 'room',
  map: [
    '7:0+a0 7:100000+700 a:800000+8 7:808000+3 a:80b000+1 7:80c000+5 a:811000+ef 4:900000+e80 7:1780000+1a3ec 4:1bb6c000+20 7:1bb8c000+25d0',
    '4:1e15c000+55c 3:1e6b8000+f6 4:1e7ae000+75 3:1e823000+21 4:1e844000+1 3:1e845000+2 4:1e847000+3 3:1e84a000+8 4:1e852000+52 3:1e8a4000+21',
    '4:1e8c5000+1 3:1e8c6000+3 4:1e8c9000+3 3:1e8cc000+7 4:1e8d3000+2 3:1e8d5000+f 4:1e8e4000+2 3:1e8e6000+2 4:1e8e8000+2 3:1e8ea000+b 4:1e8f5000+2',
    '3:1e8f7000+5 4:1e8fc000+2 3:1e8fe000+7 4:1e905000+5 3:1e90a000+2a 4:1e934000+2 3:1e936000+9 6:1e93f000+c1 4:1ea00000+201 3:1ec01000+2 4:1ec03000+2',
    '3:1ec05000+1 4:1ec06000+1 3:1ec07000+16 4:1ec1d000+4 3:1ec21000+a 4:1ec2b000+8 3:1ec33000+4 4:1ec37000+4 3:1ec3b000+1e 4:1ec59000+4 3:1ec5d000+1',
    '4:1ec5e000+1 3:1ec5f000+3 4:1ec62000+3 3:1ec65000+15 4:1ec7a000+4 3:1ec7e000+6 4:1ec84000+3 3:1ec87000+5 4:1ec8c000+5 3:1ec91000+17 4:1eca8000+1',
    '3:1eca9000+5 4:1ecae000+1 3:1ecaf000+9 4:1ecb8000+2 3:1ecba000+1 4:1ecbb000+2 3:1ecbd000+3 4:1ecc0000+1 3:1ecc1000+1 4:1ecc2000+1 3:1ecc3000+17',
    '4:1ecda000+1 3:1ecdb000+2 4:1ecdd000+14 3:1ecf1000+2 4:1ecf3000+400 3:1f0f3000+4 4:1f0f7000+1 3:1f0f8000+4 4:1f0fc000+6 3:1f102000+c 4:1f10e000+1',
    '3:1f10f000+3 4:1f112000+3db 6:1f4ed000+100 5:1f5ed000+100 0:1f6ed000+80 9:1f76d000+12 a:1f77f000+80 4:1f7ff000+601 7:1fe00000+6f 4:1fe6f000+20',
    '3:1fe8f000+33 0:1fec2000+4 a:1fec6000+2 3:1fec8000+1 4:1fec9000+11 3:1feda000+1a 6:1fef4000+84 a:1ff78000+88 0:e0000000+10000 b:ffc00000+400',
    '0:fd00000000+300000',
  ],
}
