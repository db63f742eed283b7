/**
 * Images of lanzaboote, thin as lzbt makes them or fat, with the files that a thin one names. The stub's
 * headers are invented: no binary was measured.
 */
import { UsageError } from '../bytes/errors.ts'
import { formatBytes } from '../bytes/int.ts'
import { sha256 } from '../bytes/sha256.ts'
import type { ByteSource } from '../bytes/source.ts'
import { alignUp, PAGE } from '../bytes/units.ts'
import { contentSource } from '../image/content.ts'
import type { KernelFacts } from '../image/x86/kernel-facts.ts'
import type { StubFacts } from '../image/stub-facts.ts'
import { buildKernel, buildUki } from '../image/synthetic.ts'
import { THIN_NAMES } from '../image/uki.ts'
import { bytesOf, kernel, type Size } from './builders.ts'
import { builtAs } from './builders-as.ts'

/** Releases whose stubs behave differently. */
export const LANZABOOTE_RELEASES = ['0.1.0', '0.3.0', '0.4.1', '0.4.2', '0.4.3', '1.1.0'] as const
/** One of these releases. */
export type LanzabooteRelease = (typeof LANZABOOTE_RELEASES)[number]

/** Options of a thin image as made by lanzaboote's tool, or of a fat one. */
export interface LanzabooteOptions {
  /** Default `1.1.0`. */
  readonly release?: LanzabooteRelease
  /** The image embeds kernel and initrd: releases 0.4.1 and 0.4.2 only. */
  readonly fat?: boolean
  /** Name of a measured kernel, or custom facts. Default `6.12.107-cloud`. */
  readonly kernel?: string | KernelFacts
  /** Length of the initrd. Default `1M`. */
  readonly initrd?: Size
  /** Default `console=ttyS0 nokaslr`. */
  readonly cmdline?: string
  /** The image has a wrong hash of this file. */
  readonly wrongHash?: 'kernel' | 'initrd'
  /** The stub has no version text, as before 0.4. */
  readonly anonymous?: boolean
}

/** An image, and the files on the ESP for `check`. A fat image has none. */
export interface LanzabooteImage {
  readonly image: ByteSource
  readonly linux?: ByteSource
  readonly initrd?: ByteSource
}

/** Paths of the files of the first generation. */
const PATHS = { kernel: '\\EFI\\nixos\\kernel-1.efi', initrd: '\\EFI\\nixos\\initrd-1.efi' } as const

/** Headers like those of a Rust program for UEFI. */
function stubFacts(text: string): StubFacts {
  return {
    version: text,
    identification: text,
    identificationAt: ['.rdata', 0x400],
    fileSize: 0x2ea00,
    e_lfanew: 0x78,
    Characteristics: 0x22,
    optional: {
      SizeOfCode: 0x1f000,
      SizeOfInitializedData: 0xf600,
      AddressOfEntryPoint: 0x1000,
      BaseOfCode: 0x1000,
      ImageBase: 0x140000000,
      SectionAlignment: 0x1000,
      FileAlignment: 0x200,
      MajorImageVersion: 0,
      MinorImageVersion: 0,
      SizeOfImage: 0x32000,
      SizeOfHeaders: 0x400,
      DllCharacteristics: 0x160,
    },
    symbolTable: null,
    relocations: { page: 0x20000, entries: [0] },
    sections: [
      ['.text', 0x1000, 0x1f000, 0x400, 0x1f000, 0x60000020],
      ['.rdata', 0x20000, 0xe200, 0x1f400, 0xe200, 0x40000040],
      ['.data', 0x2f000, 0x1200, 0x2d600, 0x1200, 0xc0000040],
      ['.reloc', 0x31000, 0xa, 0x2e800, 0x200, 0x42000040],
    ],
  }
}

/** The image and its files. Throws UsageError for a fat image of a release that has none. */
export function lanzaboote(options: LanzabooteOptions = {}): LanzabooteImage {
  const { release = '1.1.0', cmdline = 'console=ttyS0 nokaslr', wrongHash } = options
  const facts =
    typeof options.kernel === 'object' ? options.kernel : kernel(options.kernel ?? '6.12.107-cloud')
  const linux = buildKernel(facts)
  const initrd = contentSource({ initrd: bytesOf(options.initrd ?? '1M') })
  const early = release === '0.1.0' || release === '0.3.0'
  const stub = stubFacts(early || options.anonymous === true ? 'no name' : `lanzastub ${release}`)
  const osrel = { text: 'ID=nixos\nVERSION_ID=1\n' }
  if (options.fat === true) {
    if (release !== '0.4.1' && release !== '0.4.2')
      throw new UsageError(`lanzaboote ${release} has no fat stub`)
    const at = alignUp<number>(0x33000 + linux.size, PAGE)
    return {
      image: buildUki({
        stub,
        sections: [
          { name: '.osrel', VirtualAddress: 0x32000, content: osrel },
          { name: '.cmdline', VirtualAddress: 0x32800, content: { text: cmdline } },
          { name: '.linux', VirtualAddress: 0x33000, content: linux },
          { name: '.initrd', VirtualAddress: at, content: initrd },
        ],
      }),
    }
  }
  const names = early ? THIN_NAMES.early : THIN_NAMES.late
  const hash = (source: ByteSource, which: 'kernel' | 'initrd') => {
    const digest = sha256(source)
    return { hex: formatBytes(wrongHash === which ? digest.with(0, (digest[0] ?? 0) ^ 1) : digest) }
  }
  const contents = {
    '.osrel': osrel,
    '.cmdline': { text: cmdline },
    [names.initrd]: { text: PATHS.initrd },
    [names.kernel]: { text: PATHS.kernel },
    [names.initrdHash]: hash(initrd, 'initrd'),
    [names.kernelHash]: hash(linux, 'kernel'),
  }
  return { image: builtAs(early ? 'lzbt-0.1' : 'lzbt-0.4', { stub, kernel: facts, contents }), linux, initrd }
}
