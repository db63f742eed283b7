/** The recorded boots, as far as the firmware's tests need them. */
import { readFileSync } from 'node:fs'
import { rangeAt } from '../../../src/bytes/range.ts'
import { PAGE } from '../../../src/bytes/units.ts'
import type { MemoryDescriptor } from '../../../src/image/memory-types.ts'
import { rebuild } from '../../oracle/rebuild.ts'
import { readRecordings } from '../../oracle/recording.ts'

export interface Recorded {
  readonly id: string
  readonly superseded?: boolean
  readonly stub: string
  readonly ovmf: string
  readonly machine: 'q35' | 'pc'
  readonly fd: '2M' | '4M'
  readonly ram_mib: number
  readonly layout: readonly (readonly [
    name: string,
    VirtualAddress: string,
    VirtualSize: string,
    PointerToRawData: string,
    SizeOfRawData: string,
  ])[]
  readonly pe_image_base: string
  readonly size_of_image: string
  readonly bzimage: { readonly release?: string } | null
  readonly outcome: string
  readonly serial: { readonly errors: readonly string[] }
  readonly trace: {
    readonly image_base?: string
    readonly stub_entry?: string
    readonly efi_map_at_stub_entry?: string | object
    readonly efi_map_at_kernel_entry?: string | object
    readonly kernel_entry?: { readonly kind: string; readonly image_at: string }
    readonly boot_params_final?: { readonly ramdisk_image: string; readonly ramdisk_size: string }
  } | null
}

const file = new URL('../../oracle/observations.jsonl', import.meta.url)

export const RECORDED: readonly Recorded[] = readFileSync(file, 'utf8')
  .split('\n')
  .filter(line => line !== '')
  .map(line => JSON.parse(line) as Recorded)
  .filter(row => row.superseded !== true)

/** A map written as `type:start+pages`. */
export function mapOf(text: string): MemoryDescriptor[] {
  return text.split(' ').map(word => {
    const [type = 0, start = 0, pages = 0] = word.split(/[:+]/u).map(digits => Number.parseInt(digits, 16))
    return { type, range: rangeAt(start, pages * PAGE), attribute: 0xfn }
  })
}

export function textOf(map: readonly MemoryDescriptor[]): string {
  return map
    .map(
      ({ type, range: { start, end } }) =>
        `${type.toString(16)}:${start.toString(16)}+${((end - start) / PAGE).toString(16)}`,
    )
    .join(' ')
}

const RECORDINGS = new Map(readRecordings().map(recording => [recording.id, recording]))

/** Size of the file that was loaded, symbols of the stub after the last section included. */
export function fileSize(row: Recorded): number {
  const recording = RECORDINGS.get(row.id)
  if (recording === undefined) throw new Error(`no recording ${row.id}`)
  return rebuild(recording).size
}
