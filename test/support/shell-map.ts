/** A memory map as the EFI shell prints it, for tests that hand one to the command line. */
import type { MemoryDescriptor } from '../../src/image/memory-types.ts'

const SHELL_NAMES = [
  'Reserved',
  'LoaderCode',
  'LoaderData',
  'BS_Code',
  'BS_Data',
  'RT_Code',
  'RT_Data',
  'Available',
  'Unusable',
  'ACPI_Recl',
  'ACPI_NVS',
  'MMIO',
  'MMIO_Port',
  'PalCode',
  'Persistent',
] as const

/** The map as the EFI shell's `memmap` prints it. */
export function shellMap(map: readonly MemoryDescriptor[]): string {
  const wide = (value: number): string => value.toString(16).toUpperCase().padStart(16, '0')
  const lines = map.map(
    ({ type, range: { start, end } }) =>
      `${(SHELL_NAMES[type] ?? 'Reserved').padEnd(10)} ${wide(start)}-${wide(end - 1)} ` +
      `${wide((end - start) / 0x1000)} ${wide(0xf)}`,
  )
  const head = 'Type       Start            End              # Pages          Attributes'
  return `${[head, ...lines].join('\n')}\n`
}
