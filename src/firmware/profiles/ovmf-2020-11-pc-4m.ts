/**
 * The memory map of Debian's OVMF 2020.11 on pc with 512 MiB, before BDS loads a boot option (chapter FW).
 * Source: GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle.
 */
import type { Profile } from './profile.ts'

export const OVMF_2020_11_PC_4M: Profile = {
  id: 'ovmf-2020.11-pc-4M',
  version: '2020.11',
  machine: 'pc',
  flash: '4M',
  row: 'edk2-2020.11',
  source: 'GetMemoryMap at the entry of a UKI of stub 247.3 and kernel 5.10, on the devices of the oracle',
  basis: 'uki',
  recorded: [512, 2048],
  imageRecord: 'new-page',
  mapEntries: { hidden: 7, capacity: 128 },
  map: [
    '3:0+1 7:1000+9f 7:100000+706 a:806000+2 7:808000+8 a:810000+f0 4:900000+c00 7:1500000+1aa36 4:1bf36000+20 7:1bf56000+24ff 4:1e455000+560',
    '7:1e9b5000+4 4:1e9b9000+12 3:1e9cb000+9e 4:1ea69000+37 3:1eaa0000+5 4:1eaa5000+5 3:1eaaa000+26 4:1ead0000+1 3:1ead1000+a 4:1eadb000+1 3:1eadc000+8',
    '4:1eae4000+4 3:1eae8000+30 4:1eb18000+b 3:1eb23000+b 4:1eb2e000+b 3:1eb39000+f 4:1eb48000+2 3:1eb4a000+14 4:1eb5e000+7 3:1eb65000+1d 4:1eb82000+3',
    '3:1eb85000+e 4:1eb93000+2 3:1eb95000+6b 4:1ec00000+200 3:1ee00000+5 4:1ee05000+2 3:1ee07000+d 4:1ee14000+8 3:1ee1c000+c 4:1ee28000+2 3:1ee2a000+2',
    '4:1ee2c000+2 3:1ee2e000+10 4:1ee3e000+2 3:1ee40000+23 4:1ee63000+2 3:1ee65000+5 4:1ee6a000+1 3:1ee6b000+4 4:1ee6f000+3 3:1ee72000+14 4:1ee86000+4',
    '3:1ee8a000+1 4:1ee8b000+1 3:1ee8c000+7 4:1ee93000+7 3:1ee9a000+4 4:1ee9e000+8 3:1eea6000+1 4:1eea7000+1 3:1eea8000+d 4:1eeb5000+1 3:1eeb6000+1a',
    '4:1eed0000+1 3:1eed1000+8 4:1eed9000+8 6:1eee1000+102 4:1efe3000+400 3:1f3e3000+6f 4:1f452000+1 3:1f453000+4 4:1f457000+4 3:1f45b000+3',
    '4:1f45e000+3 3:1f461000+1b 4:1f47c000+4 3:1f480000+3 4:1f483000+2 3:1f485000+5 4:1f48a000+1 3:1f48b000+1 4:1f48c000+2 3:1f48e000+3 4:1f491000+2',
    '3:1f493000+3 4:1f496000+2 3:1f498000+1 4:1f499000+b 3:1f4a4000+a 4:1f4ae000+1 3:1f4af000+1 4:1f4b0000+2 3:1f4b2000+6 4:1f4b8000+1 3:1f4b9000+4',
    '4:1f4bd000+1 3:1f4be000+2 4:1f4c0000+2 3:1f4c2000+9 4:1f4cb000+3 3:1f4ce000+3 4:1f4d1000+41d 6:1f8ee000+100 5:1f9ee000+100 0:1faee000+80',
    '9:1fb6e000+10 a:1fb7e000+80 4:1fbfe000+202 7:1fe00000+98 4:1fe98000+20 3:1feb8000+22 4:1feda000+9 3:1fee3000+11 6:1fef4000+84 a:1ff78000+88',
    'b:ffc00000+400',
  ],
}
