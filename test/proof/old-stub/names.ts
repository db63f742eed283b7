/**
 * Names of sections that the eras of systemd-stub look for, and what they print without a kernel (chapter
 * ST).
 */

export const NAMES_229 = ['.cmdline', '.linux', '.initrd', '.splash']
export const NAMES_250 = [...NAMES_229, '.dtb']
export const NAMES_252 = ['.linux', '.osrel', '.cmdline', '.initrd', '.splash', '.dtb', '.pcrsig', '.pcrpkey']
export const NAMES_254 = [...NAMES_252, '.uname', '.sbat']
export const NAMES_256 = [...NAMES_254, '.ucode']
export const NO_LINUX = 'Unable to locate embedded .linux section'
