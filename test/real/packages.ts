/**
 * The Debian packages that hold the recorded stubs and kernels, and the SHA-256 of the one file that is
 * wanted from each.
 */
import type { Recording } from '../oracle/recording.ts'
import { recordedKernel } from '../support/kernel-fixtures.ts'

export interface RealFile {
  readonly kind: 'stub' | 'kernel'
  /** As the recordings name it. */
  readonly name: string
  readonly package: string
  readonly version: string
  /** Path inside the package. */
  readonly path: string
  /** Of the file, not of the package. */
  readonly sha256: string
}

const STUB_PATH = './usr/lib/systemd/boot/efi/linuxx64.efi.stub'

const stub = (name: string, packageName: string, version: string, sha256: string): RealFile => ({
  kind: 'stub',
  name,
  package: packageName,
  version,
  path: STUB_PATH,
  sha256,
})

/** A kernel by the name that recordings use; package and SHA-256 stand with its header facts. */
function kernel(name: string): RealFile {
  const { package: packageName, packageVersion: version, path, sha256 } = recordedKernel(name)
  return { kind: 'kernel', name, package: packageName, version, path, sha256 }
}

/** Must be had, each of them: kernels of releases that stay on the mirrors, and the stubs. */
export const REQUIRED_FILES: readonly RealFile[] = [
  stub(
    '247.3',
    'systemd',
    '247.3-7+deb11u8',
    'b1c8049a5d5fa81e074a3cca6f82dc0c8a5114f9de09bda94da9d72ede08c57a',
  ),
  stub(
    '252.39',
    'systemd-boot-efi',
    '252.39-1~deb12u2',
    'c62ae56ffaf49d1a61de4434f4f531dd1d4ed3b5aee46c934c56e3f809b22cc4',
  ),
  stub(
    '254.26',
    'systemd-boot-efi',
    '254.26-1~bpo12+1',
    '14b3d3502bdc645d14022de17fa18698bedb641e3dc9fc0d64e762c670d15e80',
  ),
  stub(
    '257.13',
    'systemd-boot-efi',
    '257.13-1~deb13u1',
    '9c623743834bb904a3cb941092cffc958c31230263ce896d332a75e9ec48aa85',
  ),
  stub(
    '262.1',
    'systemd-boot-efi',
    '262.1-1',
    'a1fe0fdfed2d8e6bab785af727fe08a0bee8027b476ac7fa0e76a9e3f485e92b',
  ),
  ...['5.10', '6.1', '6.12', '5.10-full', '6.1-full', '6.12-full'].map(kernel),
]

/**
 * Kernels of suites that drop a version when the next one comes: of each group the first that can be had is
 * taken, and one must be had.
 */
export const ALTERNATIVES: readonly { readonly what: string; readonly files: readonly RealFile[] }[] = [
  { what: 'a kernel 6.16 to 6.19', files: ['6.17', '6.18', '6.19', '6.16'].map(kernel) },
  { what: 'a kernel 7.x', files: ['7.2', '7.1', '7.3', '7.0', '7.2-full', '7.3-full'].map(kernel) },
]

/** Was this boot made with a stub and a kernel that are among these files? */
export function isReal(files: readonly RealFile[], recording: Recording): boolean {
  const has = (kind: RealFile['kind'], name: string): boolean =>
    files.some(file => file.kind === kind && file.name === name)
  return has('stub', recording.stub) && has('kernel', recording.kernel)
}

/** What ukify needs; unpacked beside the rest, never installed. */
export const UKIFY_PACKAGES = ['systemd-ukify=257.13-1~deb13u1', 'python3-pefile'] as const

/** Suites that hold these versions. */
export const SUITES = [
  'bullseye',
  'bookworm',
  'bookworm-backports',
  'trixie',
  'trixie-backports',
  'sid',
  'experimental',
] as const
export const SECURITY_SUITES = ['bullseye-security'] as const
