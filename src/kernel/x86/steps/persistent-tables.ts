/** What the EFI stub leaves for the kernel besides initrd and memory map. Chapter EP. */
import { zeroPageOf, type KernelBoot } from '../boot.ts'

/** enum efi_secureboot_mode. Source: linux@6.12.107 include/linux/efi.h. */
const SECURE_BOOT_DISABLED = 2
const SECURE_BOOT_ENABLED = 3

/** Tables in pool memory that outlive boot services; a machine that has none is assumed. */
export function keepTables({ machine }: KernelBoot): void {
  machine.step('EP-61', 'the EFI stub asks the firmware for random bytes', () => {
    machine.assume('EP-61', 'the firmware has no random number generator and no boot loader left a seed')
  })
  machine.step('EP-62', "the EFI stub copies the TPM's event log", () => {
    machine.assume('EP-62', 'there is no TPM whose event log the firmware offers')
  })
  machine.step('EP-63', 'the EFI stub copies the device properties of Apple machines', () => {
    machine.assume('EP-63', 'the firmware is not one of Apple')
  })
}

/** boot_params records Secure Boot, unless the boot loader did. */
export function noteSecureBoot(boot: KernelBoot): void {
  const { machine } = boot
  machine.step('EP-66', 'the EFI stub records Secure Boot', () => {
    const page = zeroPageOf(boot)
    if (page.get('secure_boot') === 0)
      page.set('secure_boot', machine.settings.secureBoot ? SECURE_BOOT_ENABLED : SECURE_BOOT_DISABLED)
  })
}
