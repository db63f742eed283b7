/**
 * The table of PE loaders: one row per loader and range of releases that load alike (chapter PE). Data and
 * names of steps, nothing else.
 */
import { UsageError } from '../../bytes/errors.ts'
import { EfiBootServicesData, EfiLoaderCode, EfiLoaderData } from '../../image/memory-types.ts'
import { checkImage } from '../pe-checks.ts'
import {
  checkAudk,
  checkPatina,
  checkPeimage,
  checkRustHypervisorFirmware,
  checkShim,
  checkUBoot,
  NT_HEADERS64,
} from './checks.ts'
import { allocateEdk2, headersEdk2, relocateEdk2, sectionEdk2 } from './edk2.ts'
import { LANZABOOTE } from './lanzaboote.ts'
import { nothing, type Loader } from './loader.ts'
import * as other from './others.ts'
import {
  allocateRhboot,
  allocateShim,
  finishShim,
  headersShim,
  relocateShim,
  sectionShim,
  type ShimHabits,
} from './shim.ts'

const edk2: Omit<Loader, 'id' | 'title' | 'source'> = {
  buffer: { from: 'pool', type: EfiBootServicesData, until: 'loaded', clause: 'PE-1' },
  bootManager: true,
  check: checkImage,
  pagesClause: 'PE-11',
  allocate: allocateEdk2,
  headers: headersEdk2,
  order: 'table',
  section: sectionEdk2,
  relocate: relocateEdk2,
  finish: nothing,
  givesBackFrom: 'base',
}

/** `tag`: the release that was read; one between two of them behaves as commits say that lie between. */
function edk2Row(release: string, tag: string): Loader {
  return {
    ...edk2,
    id: `edk2-${release}`,
    title: `EDK2 ${release}: BDS and DXE core`,
    source: `edk2@stable${tag}`,
  }
}

function shim(habits: ShimHabits, everySection: boolean): Omit<Loader, 'id' | 'title' | 'source'> {
  return {
    buffer: { from: 'pool', type: EfiLoaderData, until: 'image-ends', clause: 'PE-50' },
    bootManager: false,
    check: source => checkShim(source, { everySection, beyond: habits.reaches === 'one-too-far' ? 1 : 0 }),
    pagesClause: 'PE-28',
    allocate: allocateShim,
    headers: headersShim,
    order: 'table',
    section: sectionShim(habits),
    relocate: relocateShim(habits),
    finish: finishShim(habits),
    givesBackFrom: 'pages',
  }
}

const SHIM_EARLY: ShimHabits = {
  copies: 'raw',
  unreadable: 'loaded',
  entryBy: 'SizeOfRawData',
  uninitialised: 'zeroed',
  reaches: 'one-too-far',
  oddRelocations: 'ignored',
}
const SHIM_MIDDLE: ShimHabits = { ...SHIM_EARLY, copies: 'clamped', unreadable: 'skipped' }
const SHIM_15_7: ShimHabits = { ...SHIM_MIDDLE, entryBy: 'VirtualSize' }
const SHIM_LATE: ShimHabits = { ...SHIM_15_7, reaches: 'the-image', oddRelocations: 'refused' }
const RHBOOT: ShimHabits = { ...SHIM_EARLY, uninitialised: 'copied', reaches: 'the-image' }

function uBoot({
  copies,
  orRaw,
  aligns,
  headers,
}: {
  readonly copies: 'clamped' | 'raw'
  readonly orRaw: boolean
  readonly aligns: boolean
  readonly headers?: number
}): Omit<Loader, 'id' | 'title' | 'source'> {
  return {
    buffer: { from: 'pages', type: EfiBootServicesData, until: 'loaded', clause: 'PE-1' },
    bootManager: false,
    check: source => checkUBoot(source, other.sizeUBoot(orRaw), headers),
    pagesClause: 'PE-37',
    allocate: other.allocateUBoot(aligns),
    headers: other.headersUBoot,
    order: 'reverse',
    section: other.sectionUBoot({ copies, orRaw }),
    relocate: other.relocateUBoot,
    finish: nothing,
    givesBackFrom: 'pages',
  }
}

function audk(policy: 'relaxed' | 'strict'): Omit<Loader, 'id' | 'title' | 'source'> {
  return {
    ...edk2,
    check: source => checkAudk(source, policy),
    headers: other.headersZeroed('PE-49'),
    section: other.sectionAudk,
    relocate: other.relocateInPlace,
    givesBackFrom: 'pages',
  }
}

/** All rows, in the order in which they are listed to people. */
export const LOADERS: readonly Loader[] = [
  edk2Row('2020.11', '202011'),
  edk2Row('2022.11', '202211'),
  edk2Row('2024.11', '202502'),
  edk2Row('2025.02', '202502'),
  edk2Row('2025.08', '202605'),
  edk2Row('2026.05', '202605'),
  {
    ...shim(SHIM_EARLY, false),
    id: 'shim-13',
    title: 'shim 13 to 15.5, its own loader for the second stage',
    source: 'shim@13',
  },
  {
    ...shim(SHIM_MIDDLE, true),
    id: 'shim-15.6',
    title: 'shim 15.6, its own loader for the second stage',
    source: 'shim@15.6',
  },
  {
    ...shim(SHIM_15_7, true),
    id: 'shim-15.7',
    title: 'shim 15.7, its own loader for the second stage',
    source: 'shim@15.7',
  },
  {
    ...shim(SHIM_LATE, true),
    id: 'shim-15.8',
    title: 'shim 15.8, its own loader for the second stage',
    source: 'shim@15.8',
  },
  {
    ...shim(SHIM_LATE, true),
    buffer: { from: 'pool', type: EfiLoaderData, until: 'loaded', clause: 'PE-1' },
    id: 'shim-16',
    title: 'shim 16, which replaces LoadImage under Secure Boot',
    source: 'shim@16.1',
  },
  {
    ...uBoot({ copies: 'raw', orRaw: false, aligns: false, headers: NT_HEADERS64 }),
    id: 'u-boot-2020.10',
    title: 'U-Boot before v2021.04',
    source: 'u-boot@2020.10',
  },
  {
    ...uBoot({ copies: 'clamped', orRaw: false, aligns: false }),
    id: 'u-boot-2021.04',
    title: 'U-Boot v2021.04 and v2021.07',
    source: 'u-boot@2021.10',
  },
  {
    ...uBoot({ copies: 'clamped', orRaw: true, aligns: false }),
    id: 'u-boot-2021.10',
    title: 'U-Boot v2021.10',
    source: 'u-boot@2021.10',
  },
  {
    ...uBoot({ copies: 'clamped', orRaw: true, aligns: true }),
    id: 'u-boot-2022.01',
    title: 'U-Boot v2022.01 and later',
    source: 'u-boot@2023.01',
  },
  {
    ...edk2,
    bootManager: false,
    buffer: { from: 'pages', type: EfiLoaderCode, until: 'loaded', clause: 'PE-36' },
    id: 'grub',
    title: 'GRUB chainloader upstream: the firmware loads a copy',
    source: 'grub@2.12',
  },
  {
    ...shim(RHBOOT, false),
    buffer: { from: 'pages', type: EfiLoaderCode, until: 'image-ends', clause: 'PE-50' },
    pagesClause: 'PE-34',
    allocate: allocateRhboot,
    id: 'grub-rhboot',
    title: 'GRUB of rhboot (Fedora) under Secure Boot',
    source: 'grub-rhboot@fedora-44',
  },
  {
    buffer: { from: 'pages', type: EfiLoaderCode, until: 'image-ends', clause: 'PE-50' },
    bootManager: false,
    check: checkPeimage,
    pagesClause: 'PE-35',
    allocate: other.allocatePeimage,
    headers: headersEdk2,
    order: 'table',
    section: other.sectionPeimage,
    relocate: other.relocatePeimage,
    finish: nothing,
    givesBackFrom: 'pages',
    id: 'grub-debian',
    title: 'GRUB of Debian and Ubuntu with peimage',
    source: 'grub-debian@2.12-9+deb13u2',
  },
  {
    buffer: { from: 'nowhere' },
    bootManager: false,
    check: checkRustHypervisorFirmware,
    pagesClause: 'PE-42',
    allocate: other.allocateRustHypervisorFirmware,
    headers: other.headersRustHypervisorFirmware,
    order: 'table',
    section: other.sectionRustHypervisorFirmware,
    relocate: other.relocateRustHypervisorFirmware,
    finish: nothing,
    givesBackFrom: 'pages',
    unusual: 'guests of cloud-hypervisor alone; ImageBase decides where the image lies',
    id: 'rust-hypervisor-firmware',
    title: 'rust-hypervisor-firmware (cloud-hypervisor)',
    source: 'rhf@82a9a4f4',
  },
  {
    ...edk2,
    check: checkPatina,
    pagesClause: 'PE-56',
    allocate: other.allocatePatina,
    headers: other.headersZeroed('PE-45'),
    section: other.sectionPatina,
    givesBackFrom: 'pages',
    unusual: 'not known to be in a product',
    id: 'patina',
    title: 'patina, a DXE core in Rust',
    source: 'patina@80aa9c4c',
  },
  {
    ...audk('relaxed'),
    id: 'audk',
    title: 'AUDK (OpenCore, OpenDuet), unaligned sections allowed',
    source: 'audk@a77501f2',
  },
  {
    ...audk('strict'),
    unusual: 'a build option that nobody is known to ship',
    id: 'audk-strict',
    title: 'AUDK (OpenCore, OpenDuet), sections adjacent',
    source: 'audk@a77501f2',
  },
  { ...LANZABOOTE, unusual: 'loads the kernels of lanzaboote’s images, never a UKI' },
]

/** What loads when nobody says who. */
export const DEFAULT_LOADER: Loader = edk2Row('2022.11', '202211')

/** The row of that name. Throws UsageError that lists the names. */
export function loaderNamed(name: string): Loader {
  const found = LOADERS.find(loader => loader.id === name)
  if (found === undefined)
    throw new UsageError(`no PE loader '${name}'; there are ${LOADERS.map(loader => loader.id).join(', ')}`)
  return found
}
