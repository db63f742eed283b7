/**
 * Layouts of unified kernel images by tool: fixed addresses given to objcopy, or addresses computed from the
 * stub's end. Sources: systemd, dracut (042 to 112), mkinitcpio (v31 to v41), efi-mkuki and lanzaboote, the
 * releases that each row names.
 */

/** Names a tool and the first of the releases with this layout. */
export type LayoutId =
  | 'test-220'
  | 'man-250'
  | 'dracut-042'
  | 'dracut-050'
  | 'dracut-057-aarch64'
  | 'dracut-060'
  | 'mkinitcpio-31'
  | 'mkinitcpio-35'
  | 'mkinitcpio-36'
  | 'mkinitcpio-39'
  | 'efi-mkuki'
  | 'ukify-253'
  | 'ukify-254'
  | 'ukify-257.0'
  | 'ukify-257.3'
  | 'lzbt-0.1'
  | 'lzbt-0.4'

/**
 * Start of the next section, from the end of the previous one: the end itself, the next multiple, or the next
 * multiple that is not the end itself.
 */
export type Rounding = 'none' | 'aligned' | 'beyond'

/** The flags of `.linux`: data as set by objcopy, code, or executable code. */
export type LinuxFlags = 'data' | 'code' | 'executable'

/** Fixed addresses, in bytes from the image base. */
export interface FixedLayout {
  readonly kind: 'fixed'
  readonly id: LayoutId
  readonly title: string
  readonly at: Readonly<Record<string, number>>
  /** Sections that this tool always adds. */
  readonly needs?: readonly string[]
}

/** Consecutive addresses, from the end of the stub's last section on. */
export interface ComputedLayout {
  readonly kind: 'computed'
  readonly id: LayoutId
  readonly title: string
  /** Order of the added sections; `*`: any others. */
  readonly order: readonly string[]
  /** The first is the tool's rule; the others cannot be distinguished from it. */
  readonly rounding: readonly [Rounding, ...Rounding[]]
  /** Alignment of addresses: the file's SectionAlignment, or 4096. */
  readonly step: 'SectionAlignment' | 'page'
  readonly linux: LinuxFlags
  /** VirtualSize of `.linux`: the length of the kernel file, or SizeOfImage of the kernel's own PE header. */
  readonly linuxSize: 'file' | 'SizeOfImage'
  /** Sections that this tool always adds. */
  readonly needs?: readonly string[]
}

export type Layout = FixedLayout | ComputedLayout

const OSREL_CMDLINE = { '.osrel': 0x20000, '.cmdline': 0x30000 } as const
const LATE = { '.linux': 0x2000000, '.initrd': 0x3000000 } as const
const BY_HAND = ['.osrel', '.cmdline', '.splash', '.linux', '.initrd'] as const
const UNAME = ['.uname'] as const
const EARLY_UKIFY = [
  '.osrel',
  '.cmdline',
  '.dtb',
  '.uname',
  '.splash',
  '.pcrpkey',
  '.initrd',
  '.ucode',
  '*',
] as const

/** In the order in which candidates are named. */
export const LAYOUTS: readonly Layout[] = [
  {
    kind: 'fixed',
    id: 'dracut-042',
    title: 'dracut 042 to 049',
    at: { ...OSREL_CMDLINE, '.linux': 0x40000, '.initrd': 0x3000000 },
  },
  {
    kind: 'fixed',
    id: 'dracut-050',
    title: 'dracut 050 to 059',
    at: { ...OSREL_CMDLINE, '.splash': 0x40000, ...LATE },
  },
  {
    kind: 'fixed',
    id: 'dracut-057-aarch64',
    title: 'dracut 057 to 059 on aarch64, which leaves more room for the kernel',
    at: { ...OSREL_CMDLINE, '.splash': 0x40000, '.linux': 0x2000000, '.initrd': 0x4000000 },
    needs: ['.initrd'],
  },
  {
    kind: 'fixed',
    id: 'mkinitcpio-31',
    title: 'mkinitcpio v31 to v34',
    at: { ...OSREL_CMDLINE, '.splash': 0x40000, ...LATE },
  },
  {
    kind: 'fixed',
    id: 'efi-mkuki',
    title: 'the first efi-mkuki, which always adds .splash',
    at: { ...OSREL_CMDLINE, '.splash': 0x40000, ...LATE },
    needs: ['.osrel', '.cmdline', '.splash', '.initrd'],
  },
  {
    kind: 'fixed',
    id: 'test-220',
    title: 'objcopy with the addresses of systemd test-efi-create-disk.sh, v220 to v250',
    at: { ...OSREL_CMDLINE, '.splash': 0x40000, ...LATE },
  },
  {
    kind: 'fixed',
    id: 'man-250',
    title: 'objcopy with the addresses of systemd-stub(7), v250 to v252',
    at: { ...OSREL_CMDLINE, '.dtb': 0x40000, '.splash': 0x100000, ...LATE },
  },
  {
    kind: 'computed',
    id: 'dracut-060',
    title: 'dracut 060 and later, without ukify',
    order: ['.osrel', '.cmdline', '.splash', '.sbat', '.linux', '.initrd'],
    rounding: ['beyond'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
  },
  {
    kind: 'computed',
    id: 'mkinitcpio-35',
    title: 'mkinitcpio v35',
    order: BY_HAND,
    rounding: ['none'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
  },
  {
    kind: 'computed',
    id: 'mkinitcpio-36',
    title: 'mkinitcpio v36 to v38',
    order: ['.osrel', '.uname', '.cmdline', '.splash', '.linux', '.initrd'],
    rounding: ['aligned', 'beyond'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
    needs: UNAME,
  },
  {
    kind: 'computed',
    id: 'mkinitcpio-39',
    title: 'mkinitcpio v39 and later without ukify, or efi-mkuki of 2025',
    order: ['.uname', ...BY_HAND],
    rounding: ['aligned', 'beyond'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
    needs: UNAME,
  },
  {
    kind: 'computed',
    id: 'ukify-253',
    title: 'ukify 253',
    order: [
      '.osrel',
      '.cmdline',
      '.dtb',
      '.splash',
      '.pcrpkey',
      '.initrd',
      '.uname',
      '*',
      '.pcrsig',
      '.linux',
    ],
    rounding: ['aligned'],
    step: 'page',
    linux: 'executable',
    linuxSize: 'file',
  },
  {
    kind: 'computed',
    id: 'ukify-254',
    title: 'ukify 254 to 256',
    order: [...EARLY_UKIFY, '.pcrsig', '.sbat', '.linux'],
    rounding: ['aligned'],
    step: 'SectionAlignment',
    linux: 'code',
    linuxSize: 'file',
  },
  {
    kind: 'computed',
    id: 'ukify-257.0',
    title: 'ukify 257 to 257.2',
    order: [...EARLY_UKIFY, '.linux', '.sbat', '.profile', '.pcrsig'],
    rounding: ['aligned'],
    step: 'SectionAlignment',
    linux: 'code',
    linuxSize: 'SizeOfImage',
  },
  {
    kind: 'computed',
    id: 'ukify-257.3',
    title: 'ukify 257.3 and later',
    order: [
      '.osrel',
      '.cmdline',
      '.dtb',
      '.dtbauto',
      '.hwids',
      '.uname',
      '.splash',
      '.pcrpkey',
      '.linux',
      '.initrd',
      '.efifw',
      '.ucode',
      '*',
      '.sbat',
      '.profile',
      '.pcrsig',
    ],
    rounding: ['aligned'],
    step: 'SectionAlignment',
    linux: 'code',
    linuxSize: 'file',
  },
  {
    kind: 'computed',
    id: 'lzbt-0.1',
    title: 'lzbt of lanzaboote 0.1 to 0.3',
    order: ['.osrel', '.cmdline', '.initrdp', '.kernelp', '.initrdh', '.kernelh'],
    rounding: ['none'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
    needs: ['.kernelp', '.kernelh'],
  },
  {
    kind: 'computed',
    id: 'lzbt-0.4',
    title: 'lzbt of lanzaboote 0.4 and later',
    order: ['.osrel', '.cmdline', '.initrd', '.linux', '.initrdh', '.linuxh'],
    rounding: ['none'],
    step: 'SectionAlignment',
    linux: 'data',
    linuxSize: 'file',
    needs: ['.linuxh'],
  },
]

/** Possible starts of a section after one that ends at `end`. */
export function roundedUp(end: number, rounding: Rounding, step: number): number {
  if (rounding === 'none') return end
  const past = end % step
  return past === 0 && rounding === 'aligned' ? end : end + step - past
}
