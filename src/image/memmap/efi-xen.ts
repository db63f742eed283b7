/** The EFI map that Xen prints. Source: captures of 4.5 to 4.18, xen/common/efi/boot.c, xen/arch/x86/efi. */
import { groupsOf } from '../groups.ts'
import { eachLine, HYPHENED, hexValue, type Dialect } from './model.ts'

const readRow = groupsOf(/^([0-9a-fA-F]{13})-([0-9a-fA-F]{13}) type=(\d{1,10}) attr=([0-9a-fA-F]{16})$/, 4)

export const xenEfi: Dialect<'xen-efi'> = {
  name: 'xen-efi',
  kind: 'efi',
  title: 'Xen, `EFI memory map:`',
  example:
    '(XEN) EFI memory map:\n(XEN)  0000000100000-000007bffffff type=7 ' +
    'attr=000000000000000f\n(XEN)  000007f28d000-000007f5f2fff type=6 ' +
    'attr=800000000000000f',
  taken: 'exit-boot-services',
  lacks: [
    'memory of types LoaderCode and LoaderData belongs to the boot of Xen: it counts as free before the load',
    'boot-services memory that this boot took for itself stays occupied',
  ],
  looks: /(?<![\w.-])[0-9a-fA-F]{13}-[0-9a-fA-F]{13} type/g,
  row: /[0-9a-fA-F]{13}-[0-9a-fA-F]{13} type=\d{1,10} attr=[0-9a-fA-F]{16}(?!\w)/y,
  wide: true,
  hint: HYPHENED,
  stop: /EFI memory map:/,
  ...eachLine('xen-efi', line => {
    const row = readRow(line)
    if (row === null) return null
    const [start, last, type, attribute] = row
    return [
      {
        type: Number(type),
        start: hexValue(start),
        end: hexValue(last) + 1n,
        attribute: hexValue(attribute),
      },
    ]
  }),
}
