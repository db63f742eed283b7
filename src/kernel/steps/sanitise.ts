/** sanitize_boot_params: what a loader that copied too much has to expect. Chapter ZO. */
import { boot_params } from '../../image/x86/boot-params.ts'
import { bootParam, patchBootParams, type KernelBoot } from '../boot.ts'

/** A sentinel that is not 0 tells of a loader that copied too much: the high halves are wiped. */
export function sanitise(boot: KernelBoot): void {
  if (bootParam(boot, 'sentinel') === 0) return
  patchBootParams(boot, boot_params.fields.ext_ramdisk_image[0], new Uint8Array(12))
}
