/** The boot loader's obligations at the hand-off: contracts, evaluated on the memory. Chapter HO. */
import { intersect, overlaps, rangeAt, rangeOrNull, subtract, union, type Range } from '../../bytes/range.ts'
import type { Phys } from '../../bytes/units.ts'
import { BOOT_FLAG, HDRS, PROTOCOL_2_11 } from '../../image/x86/boot-params.ts'
import type { Extent, ObjectId } from '../../memory/extent.ts'
import type { ContractResult, Machine } from '../machine.ts'
import { BOOT_PARAMS, zeroPage } from './zero-page.ts'

/** The contracts by name; the era of a kernel lists those it requires. */
export type ContractName =
  | 'setup-header'
  | 'alignment'
  | 'sentinel'
  | 'init-window'
  | 'bss-zero'
  | 'bss-owned'
  | 'whole-addresses'
  | 'code32-start'
  | 'setup-data'

/** A range of memory that may be empty. */
export interface Stretch {
  readonly start: number
  /** Bytes. */
  readonly length: number
}

/** What is evaluated. */
export interface HandedOver {
  /** Owner of the kernel's bytes. */
  readonly kernel: ObjectId
  /** The zero page; null when the kernel makes its own. */
  readonly bootParams: Phys | null
  /** [runtime start, runtime start + init_size). */
  readonly window: Stretch
  /** .bss of the kernel. */
  readonly bss: Stretch
  /** L: address of `startup_32`. */
  readonly startup32: number
  /** Nodes of setup_data that boot_params points to. */
  readonly setupData?: readonly Range[]
  readonly initrd: ObjectId | null
  readonly commandLine: ObjectId | null
}

/** Firmware memory that outlives boot services. */
const KEPT_BY_FIRMWARE: readonly ObjectId[] = ['firmware:runtime', 'firmware:reserved']

type Judge = (machine: Machine, handed: HandedOver) => ContractResult[]

function result(
  clause: ContractResult['clause'],
  kept: boolean,
  what: string,
  range: Range | null,
  found: readonly Extent[] = [],
): ContractResult[] {
  return [{ clause, kept, what, range, found }]
}

const setupHeader: Judge = (machine, { bootParams }) => {
  if (bootParams === null) return []
  const { hdr } = zeroPage(machine.memory, bootParams)
  const kept =
    hdr.get('boot_flag') === BOOT_FLAG && hdr.get('header') === HDRS && hdr.get('version') >= PROTOCOL_2_11
  return result(
    'HO-1',
    kept,
    'the setup header in boot_params is that of a kernel with a handover entry',
    rangeAt(hdr.at, hdr.layout.size),
  )
}

const alignment: Judge = (machine, { bootParams }) => {
  if (bootParams === null) return []
  const { hdr } = zeroPage(machine.memory, bootParams)
  const kernel_alignment = hdr.get('kernel_alignment')
  const kept = kernel_alignment >= 2 ** 21 && Number.isInteger(Math.log2(kernel_alignment))
  return result(
    'HO-2',
    kept,
    'kernel_alignment in boot_params is a power of two of at least 2 MiB',
    hdr.range('kernel_alignment'),
  )
}

const sentinel: Judge = (machine, { bootParams }) => {
  if (bootParams === null) return []
  const page = zeroPage(machine.memory, bootParams)
  const kept = page.get('sentinel') === 0
  return result('HO-3', kept, 'the sentinel of boot_params is 0', page.range('sentinel'))
}

const initWindow: Judge = (machine, handed) => {
  const window = rangeOrNull(handed.window.start, handed.window.length)
  if (window === null) return []
  const live = new Set([
    ...partsOf(machine, handed.initrd),
    ...partsOf(machine, handed.commandLine),
    BOOT_PARAMS,
    ...KEPT_BY_FIRMWARE,
  ])
  const found = machine.memory.occupants(window, object => !live.has(object))
  return result(
    'HO-4',
    found.length === 0,
    'the init_size bytes from the runtime start contain nothing that is needed later',
    window,
    found,
  )
}

/** The parts of an object. */
function partsOf(machine: Machine, object: ObjectId | null): ObjectId[] {
  return object === null ? [] : [object, ...(machine.memory.partsOf(object) ?? []).map(part => part.object)]
}

const bssZero: Judge = (machine, { kernel, bss }) => {
  const where = rangeOrNull(bss.start, bss.length)
  if (where === null) return []
  const extents = machine.memory.extents(where)
  const wrong = extents.filter(
    ({ whose, content }) => whose?.object !== kernel || content.kind !== 'fill' || content.byte !== 0,
  )
  const kept = wrong.length === 0 && covers(extents, where)
  return result('HO-5', kept, 'the .bss of the kernel is zeroed memory of its own', where, wrong)
}

const bssOwned: Judge = (machine, { kernel, bss }) => {
  const where = rangeOrNull(bss.start, bss.length)
  if (where === null) return []
  const found = machine.memory.occupants(where, object => object === kernel)
  const allocated = union(machine.memory.claims(where).map(claim => claim.range))
  const kept = found.length === 0 && allocated.some(claim => subtract(where, claim).length === 0)
  return result(
    'HO-6',
    kept,
    'the .bss of the kernel is allocated memory that contains nothing else',
    where,
    found,
  )
}

function covers(extents: readonly Extent[], where: Range): boolean {
  const [first, ...more] = union(extents.map(extent => extent.range))
  return (
    first !== undefined &&
    more.length === 0 &&
    intersect(first, where)?.start === where.start &&
    first.end >= where.end
  )
}

const wholeAddresses: Judge = (machine, { bootParams, initrd, commandLine }) => {
  if (bootParams === null) return []
  const page = zeroPage(machine.memory, bootParams)
  return [
    ...cut(
      machine,
      'HO-7',
      initrd,
      page.whole('ramdisk_image'),
      'ramdisk_image and ext_ramdisk_image hold the whole address of the initrd',
    ),
    ...cut(
      machine,
      'HO-8',
      commandLine,
      page.whole('cmd_line_ptr'),
      'cmd_line_ptr and ext_cmd_line_ptr hold the whole address of the command line',
    ),
  ]
}

const code32Start: Judge = (machine, { bootParams, startup32 }) => {
  if (bootParams === null) return []
  const { hdr } = zeroPage(machine.memory, bootParams)
  return result(
    'HO-9',
    hdr.get('code32_start') === startup32,
    'code32_start in boot_params is the address of startup_32',
    hdr.range('code32_start'),
  )
}

/** Broken if the object is not at the address in the two halves, but at one with the same low half. */
function cut(
  machine: Machine,
  clause: 'HO-7' | 'HO-8',
  object: ObjectId | null,
  named: number,
  what: string,
): ContractResult[] {
  if (object === null) return []
  const first = machine.memory.partsOf(object)?.[0] ?? { object, at: 0 }
  const starts = machine.memory.placesOf(first.object, first.at)
  const lost = starts.filter(
    ({ range }) => range.start % 2 ** 32 === named % 2 ** 32 && range.start !== named,
  )
  const kept = lost.length === 0 || starts.some(({ range }) => range.start === named)
  return result(clause, kept, what, kept ? null : (lost[0]?.range ?? null), kept ? [] : lost)
}

const setupData: Judge = (machine, { bootParams, window: { start, length }, setupData: nodes = [] }) => {
  const window = rangeOrNull(start, length)
  if (bootParams === null || window === null) return []
  const inside = nodes.filter(node => overlaps(node, window))
  return result(
    'HO-17',
    inside.length === 0,
    'the init_size bytes from the runtime start contain no node of setup_data',
    window,
    inside.flatMap(node => [...machine.memory.extents(node)]),
  )
}

const JUDGES: Readonly<Record<ContractName, Judge>> = {
  'setup-header': setupHeader,
  alignment,
  sentinel,
  'init-window': initWindow,
  'bss-zero': bssZero,
  'bss-owned': bssOwned,
  'whole-addresses': wholeAddresses,
  'code32-start': code32Start,
  'setup-data': setupData,
}

/** Evaluates the named contracts in order and records each result. */
export function evaluateContracts(
  machine: Machine,
  names: readonly ContractName[],
  handed: HandedOver,
): void {
  for (const name of names) {
    for (const contract of JUDGES[name](machine, handed))
      machine.step(contract.clause, contract.what, () => {
        machine.contract(contract)
      })
  }
}
