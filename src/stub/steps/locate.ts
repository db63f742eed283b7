/** Slots locate and kernel: which section header is used for a name (chapter ST). */
import { printed } from '../../messages/texts.ts'
import { add } from '../../bytes/units.ts'
import { viewUki } from '../../image/uki.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { LocateBehaviour, StubBehaviour } from '../behaviour.ts'
import type { Kernel, PayloadSection, Sections, StubContext, TableEntry } from '../model.ts'
import { chosenProfile } from './load-options.ts'
import { statusIn, statusText } from './status.ts'

type Finding = (name: string, entry: TableEntry) => PayloadSection

/** The section that a header of this image's table describes. */
function findingIn({ self }: StubContext): Finding {
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

/** Which headers match, and of which profile. */
export function findSections(
  rules: LocateBehaviour,
  options: StubBehaviour['loadOptions'],
): (ctx: StubContext, table: readonly TableEntry[]) => Sections {
  if (rules.match === 'name') return (ctx, table) => firstWithName(ctx, table, rules, options)
  return (ctx, table) => {
    if (rules.warnsOfOverlap) warnOfOverlap(ctx, table)
    return lastWithPrefix(ctx, table, rules)
  }
}

/** A header matches when its name begins with the wanted one; the last match is used. */
function lastWithPrefix(
  ctx: StubContext,
  table: readonly TableEntry[],
  { names }: LocateBehaviour,
): Sections {
  return ctx.machine.step('ST-8', 'locate_sections finds the payload', () => {
    const sections = new Map<string, PayloadSection>()
    const foundOf = findingIn(ctx)
    for (const entry of table)
      for (const name of names) if (entry.name.startsWith(name)) sections.set(name, foundOf(name, entry))
    return sections
  })
}

/** Warns when neighbours in the table overlap or are not in address order. */
function warnOfOverlap(ctx: StubContext, table: readonly TableEntry[]): void {
  ctx.machine.step('ST-71', 'locate_sections looks for overlapping sections', () => {
    const overlaps = table.some(
      (entry, i) =>
        entry.VirtualAddress < (table[i - 1]?.VirtualAddress ?? 0) + (table[i - 1]?.VirtualSize ?? 0),
    )
    if (overlaps)
      ctx.machine.assume(
        'ST-71',
        'that the stub prints "Overlapping PE sections detected. Boot may fail due to image ' +
          'memory corruption!" changes nothing',
      )
  })
}

/** Does the whole section lie inside SizeOfImage? */
function insideImage({ machine, self }: StubContext, { VirtualAddress, VirtualSize }: TableEntry): boolean {
  return machine.step(
    'ST-70',
    'pe_locate_sections_internal checks whether a section lies inside the image',
    () => VirtualAddress + VirtualSize <= self.size,
  )
}

/**
 * A header matches when its name is exactly the wanted one; the first match is used, and a profile overrides
 * the base.
 */
function firstWithName(
  ctx: StubContext,
  table: readonly TableEntry[],
  { names, insideImage: asks }: LocateBehaviour,
  options: StubBehaviour['loadOptions'],
): Sections {
  const foundOf = findingIn(ctx)
  const firstIn = (slice: readonly TableEntry[]): [string, PayloadSection][] =>
    names.flatMap(name => {
      const entry = slice.find(candidate => candidate.name === name && (!asks || insideImage(ctx, candidate)))
      return entry === undefined ? [] : [[name, foundOf(name, entry)]]
    })
  const starts = table.flatMap((entry, i) => (entry.name === '.profile' ? [i] : []))
  const base = table.slice(0, starts[0] ?? table.length)
  const sections = new Map(ctx.machine.step('ST-9', 'find_sections finds the payload', () => firstIn(base)))
  ctx.machine.step('ST-11', 'pe_locate_profile_sections takes a profile', () => {
    const wanted = chosenProfile(ctx, options)
    const from = starts[wanted]
    if (from === undefined && wanted > 0) {
      ctx.machine.refuse(
        'ST-11',
        'EFI_NOT_FOUND',
        `the image has no profile ${String(wanted)}`,
        printed('stub/no-profile', { status: statusText('EFI_NOT_FOUND') }),
      )
    }
    if (from !== undefined)
      for (const [name, found] of firstIn(table.slice(from, starts[wanted + 1] ?? table.length)))
        sections.set(name, found)
  })
  return sections
}

/** The section, unless it is absent or has no bytes. */
export function sectionOf(sections: Sections, name: string): PayloadSection | null {
  const found = sections.get(name)
  return found !== undefined && found.size > 0 ? found : null
}

/** The kernel, or the release's reaction to its absence. */
export function takeKernel(
  kernel: StubBehaviour['kernel'],
  messages: StubBehaviour['messages'],
): (ctx: StubContext, sections: Sections) => Kernel {
  if (kernel.way === 'own image') return kernelOrOwnImage
  const message = kernel.status ? `${kernel.message}: ${statusIn(messages, 'EFI_NOT_FOUND')}` : kernel.message
  const clause = kernel.status ? 'ST-13' : 'ST-10'
  return (ctx, sections) => kernelOrRefusal(ctx, sections, clause, message)
}

/** Without `.linux` the image itself is taken for the kernel and fails the header check. */
function kernelOrOwnImage({ machine, self }: StubContext, sections: Sections): Kernel {
  return machine.step('ST-12', 'takes the kernel', () => {
    const found = sections.get('.linux')
    return found === undefined
      ? { at: self.base, size: 0, object: self.name, source: self.pe.source, found: false }
      : { ...found, found: true }
  })
}

/** Without `.linux` the stub returns an error. */
function kernelOrRefusal(
  { machine }: StubContext,
  sections: Sections,
  clause: ClauseId,
  message: string,
): Kernel {
  return machine.step(clause, 'takes the kernel', () => {
    const found = sectionOf(sections, '.linux')
    if (found === null)
      return machine.refuse(clause, 'EFI_NOT_FOUND', 'the image has no .linux section', message)
    return { ...found, found: true }
  })
}
