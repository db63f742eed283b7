import { expect, test } from 'vitest'
import { formatReport } from '../../../src/report/index.ts'
import { damagedReport } from './reports.ts'

test('a report with one damage', () => {
  expect(formatReport(damagedReport())).toMatchInlineSnapshot(`
    "uki.efi  388.0 KiB (397312 bytes)
    machine  profile ovmf-2022.11-q35, 64.0 MiB RAM
    stub     247.3: systemd-stub/S2, enters the kernel in place (certain; LoaderInfo names systemd-stub 247.3)
    kernel   version unknown: linux/E5, unpacks itself in the EFI stub (as given)

    damage  clobbered-object: initrd                                                                                    HZ-2
      The kernel read 128.0 KiB of initrd at 0x1140000; 12.5 KiB (0x3200 bytes) of it (offsets 0x0-0x3200) are not initrd
      any more but kernel.

      placed       #3  firmware  PE-6  loaded 0x1140000-0x1160000 as initrd: load the sections in table order
      overwritten  #4  efi-stub  EP-7  zeroed 0x1140000-0x1143200 as kernel from its offset 0x40000 on: clear the .bss
      used         #5  kernel    ZO-9  read 0x1140000-0x1160000 as initrd: read the initrd as announced

         0x1100000  kernel  256.0 KiB
      >  0x1140000  initrd  128.0 KiB  now: kernel 12.5 KiB, initrd 115.5 KiB
         0x1160000

      why   efi-stub zeroed 0x1140000-0x1143200 as kernel from its offset 0x40000 on (EP-7); only 256.0 KiB (0x40000 bytes)
            of kernel were loaded, what it uses behind them was reserved by nobody
      do    .initrd must start at or beyond .linux + 0x43200; it starts at .linux + 0x40000. Or start the kernel in memory
            of its own: with a stub that copies it first, or through its PE entry
      more  stubsim explain clobbered-object

    outcome  the extracted kernel starts at 0x1600000 with its boot_params at 0x1e000

    facts
      imageBase             0x1000000
      handOff               efi-handover, kernel image 0x1100000, entry 0x1100390
      bootParams            0x1e000
      cmdLinePtr            0x9f000
      commandLine           console=ttyS0 nokaslr
      ramdiskImageFromStub  0x1140000
      ramdiskImage          0x1140000
      ramdiskSize           0x20000
      compressedImage       0x1100000
      decompressedKernel    0x1600000
      initrdDamage          0x0-0x3200
      section .linux        0x1100000-0x1140000
      section .initrd       0x1140000-0x1160000, not intact

    assumed
      FW-1   nothing else was loaded before

    verdict  damage: 1 damage, 1 assumption
    "
  `)
})
