/** Slots locate and kernel: which section header counts for a name (chapter ST). */
import { add } from '../../../../src/bytes/units.ts'
import { viewUki } from '../../../../src/image/uki.ts'
import type { ClauseId } from '../../../../src/machine/machine.ts'
import { told } from '../../../../src/machine/told.ts'
import type { Booting, Found, Kernel, Located, TableEntry } from '../model.ts'
import { chosenProfile, type OptionsRule } from './load-options.ts'
import { statusText } from './patch.ts'

type Finding = (name: string, entry: TableEntry) => Found

/** What a header of this image's table stands for. */
function findingIn({ self }: Booting): Finding {
  const { sections } = viewUki(self.pe)
  return (name, { index, VirtualAddress, VirtualSize }) => {
    const seen = sections[index]
    return {
      name,
      at: add(self.base, VirtualAddress),
      size: VirtualSize,
      object: seen?.object ?? `${self.name}:${name}`,
      source: seen?.content ?? self.pe.source,
    }
  }
}

/** A header counts when its name begins with the wanted one; the last such header counts. */
export function lastWithPrefix(
  names: readonly string[],
): (on: Booting, table: readonly TableEntry[]) => Located {
  const locate = (on: Booting, table: readonly TableEntry[]): Located =>
    on.machine.step('ST-8', 'locates its payload', () => {
      const located = new Map<string, Found>()
      const foundOf = findingIn(on)
      for (const entry of table)
        for (const name of names) if (entry.name.startsWith(name)) located.set(name, foundOf(name, entry))
      return located
    })
  return told(locate, { names })
}

/** Does the whole section lie where the era wants it? */
export type SectionBounds = (on: Booting, entry: TableEntry) => boolean
/** Anywhere. */
export const anywhere: SectionBounds = () => true
/** Inside SizeOfImage; a header of another section is passed over. */
export const insideImage: SectionBounds = ({ machine, self }, { VirtualAddress, VirtualSize }) =>
  machine.step(
    'ST-70',
    'asks whether a section lies inside the image',
    () => VirtualAddress + VirtualSize <= self.size,
  )

/**
 * As the last with a prefix, and a warning when neighbours in the table are not in the order of their
 * addresses or overlap.
 */
export function lastWithPrefixWarned(
  names: readonly string[],
): (on: Booting, table: readonly TableEntry[]) => Located {
  const locate = lastWithPrefix(names)
  const warned = (on: Booting, table: readonly TableEntry[]): Located => {
    on.machine.step('ST-71', 'looks for overlapping sections', () => {
      const overlaps = table.some(
        (entry, i) =>
          entry.VirtualAddress < (table[i - 1]?.VirtualAddress ?? 0) + (table[i - 1]?.VirtualSize ?? 0),
      )
      if (overlaps)
        on.machine.assume(
          'ST-71',
          'that the stub prints "Overlapping PE sections detected. Boot may fail due to image memory corruption!" changes nothing',
        )
    })
    return locate(on, table)
  }
  return told(warned, { names })
}

/**
 * A header counts when its name is the wanted one; the first such header counts, and a profile overrides the
 * base.
 */
export function firstWithName(
  names: readonly string[],
  rule: OptionsRule,
  fits: SectionBounds,
): (on: Booting, table: readonly TableEntry[]) => Located {
  const firstIn = (on: Booting, slice: readonly TableEntry[], foundOf: Finding): [string, Found][] =>
    names.flatMap(name => {
      const entry = slice.find(candidate => candidate.name === name && fits(on, candidate))
      return entry === undefined ? [] : [[name, foundOf(name, entry)]]
    })
  const locate = (on: Booting, table: readonly TableEntry[]): Located => {
    const starts = table.flatMap((entry, i) => (entry.name === '.profile' ? [i] : []))
    const base = table.slice(0, starts[0] ?? table.length)
    const foundOf = findingIn(on)
    const located = new Map(on.machine.step('ST-9', 'locates its payload', () => firstIn(on, base, foundOf)))
    on.machine.step('ST-11', 'takes a profile', () => {
      const wanted = chosenProfile(on, rule)
      const from = starts[wanted]
      if (from === undefined && wanted > 0) {
        on.machine.refuse(
          'ST-11',
          'EFI_NOT_FOUND',
          `the image has no profile ${String(wanted)}`,
          `Unable to locate embedded per-profile PE sections: ${statusText('EFI_NOT_FOUND')}`,
        )
      }
      if (from !== undefined)
        for (const [name, found] of firstIn(
          on,
          table.slice(from, starts[wanted + 1] ?? table.length),
          foundOf,
        ))
          located.set(name, found)
    })
    return located
  }
  return told(locate, { names, options: rule, fits })
}

/** The section, unless it is absent or has no bytes. */
export function sectionOf(located: Located, name: string): Found | null {
  const found = located.get(name)
  return found !== undefined && found.size > 0 ? found : null
}

/** Without a `.linux` the image itself is taken for the kernel, and the header check meets it. */
export function kernelOrOwnImage({ machine, self }: Booting, located: Located): Kernel {
  return machine.step('ST-12', 'takes the kernel', () => {
    const found = located.get('.linux')
    return found === undefined
      ? { at: self.base, size: 0, object: self.name, source: self.pe.source, found: false }
      : { ...found, found: true }
  })
}

/** Without a `.linux` the stub says no. */
export function kernelOrRefusal(
  clause: ClauseId,
  message: string,
): (on: Booting, located: Located) => Kernel {
  const take = ({ machine }: Booting, located: Located): Kernel =>
    machine.step(clause, 'takes the kernel', () => {
      const found = sectionOf(located, '.linux')
      if (found === null)
        return machine.refuse(clause, 'EFI_NOT_FOUND', 'the image has no .linux section', message)
      return { ...found, found: true }
    })
  return told(take, { message })
}
