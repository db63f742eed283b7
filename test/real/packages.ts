/** The Debian packages that hold the recorded stubs and kernels, and the SHA-256 of the one file that is wanted from each. */
import type { Recording } from '../oracle/recording.ts'

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

const stub = (name: string, packageName: string, version: string, sha256: string): RealFile => ({ kind: 'stub', name, package: packageName, version, path: STUB_PATH, sha256 })

const kernel = (name: string, release: string, version: string, sha256: string): RealFile => ({
  kind: 'kernel',
  name,
  package: `linux-image-${release}-unsigned`,
  version,
  path: `./boot/vmlinuz-${release}`,
  sha256,
})

export const REAL_FILES: readonly RealFile[] = [
  stub('247.3', 'systemd', '247.3-7+deb11u8', 'b1c8049a5d5fa81e074a3cca6f82dc0c8a5114f9de09bda94da9d72ede08c57a'),
  stub('252.39', 'systemd-boot-efi', '252.39-1~deb12u2', 'c62ae56ffaf49d1a61de4434f4f531dd1d4ed3b5aee46c934c56e3f809b22cc4'),
  stub('254.26', 'systemd-boot-efi', '254.26-1~bpo12+1', '14b3d3502bdc645d14022de17fa18698bedb641e3dc9fc0d64e762c670d15e80'),
  stub('257.13', 'systemd-boot-efi', '257.13-1~deb13u1', '9c623743834bb904a3cb941092cffc958c31230263ce896d332a75e9ec48aa85'),
  stub('262.1', 'systemd-boot-efi', '262.1-1', 'a1fe0fdfed2d8e6bab785af727fe08a0bee8027b476ac7fa0e76a9e3f485e92b'),
  kernel('5.10', '5.10.0-32-cloud-amd64', '5.10.223-1', '542603ca27943040c4540dea453ce94fa0ebf46bd7644172f59024fd90e4c78b'),
  kernel('6.1', '6.1.0-47-cloud-amd64', '6.1.170-3', '024c595aa9b6b4e5da7042a33631d2229fe5377aaab854d1331c981d0e843cde'),
  kernel('6.12', '6.12.107+deb13-cloud-amd64', '6.12.107-1', '75d7f9be0da1b6f6ab7715058b1bf6ad73308ce74a930b88b92d426ae0c1e3ec'),
]

/** Was this boot made with a stub and a kernel that are fetched here? */
export function isReal(recording: Recording): boolean {
  const has = (kind: RealFile['kind'], name: string): boolean => REAL_FILES.some(file => file.kind === kind && file.name === name)
  return has('stub', recording.stub) && has('kernel', recording.kernel)
}

/** What ukify needs; unpacked beside the rest, never installed. */
export const UKIFY_PACKAGES = ['systemd-ukify=257.13-1~deb13u1', 'python3-pefile'] as const

/** Suites that hold these versions. */
export const SUITES = ['bullseye', 'bookworm', 'bookworm-backports', 'trixie', 'sid'] as const
export const SECURITY_SUITES = ['bullseye-security'] as const
