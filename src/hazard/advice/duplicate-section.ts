/** duplicate-section: a payload section occurs twice; which one is used depends on the stub. HZ-14. */
import { placedSections, type Placed } from '../layout.ts'
import { listed } from '../listed.ts'
import { advice } from '../rule.ts'
import { hex } from '../../bytes/range.ts'

/** Sections that may occur any number of times in a UKI. Source: uapi-group unified_kernel_image.md. */
const REPEATABLE: ReadonlySet<string> = new Set(['.dtbauto', '.efifw'])

export const duplicateSection = advice({
  id: 'duplicate-section',
  since: '0.1.0',
  clause: 'HZ-14',
  title: 'A payload section occurs twice',
  inspect({ uki }, report) {
    let seen = new Map<string, Placed>()
    const again: { readonly section: Placed; readonly first: Placed }[] = []
    for (const section of placedSections(uki)) {
      if (section.name === '.profile') seen = new Map()
      if (!section.payload || REPEATABLE.has(section.name)) continue
      const first = seen.get(section.name)
      if (first === undefined) seen.set(section.name, section)
      else again.push({ section, first })
    }
    const [one] = again
    if (one === undefined) return
    const extra = new Map<string, number>()
    for (const { section } of again) extra.set(section.name, (extra.get(section.name) ?? 0) + 1)
    const copies = [...extra].map(([name, count]) => `${count === 1 ? 'one' : String(count)} ${name}`)
    report({
      object: one.section.object,
      ranges: [],
      offsets: [],
      what: listed(
        again.map(
          ({ section, first }) =>
            `${section.name} occurs at ${hex(first.start)} and again at ${hex(section.start)}`,
        ),
      ),
      why:
        'stubs up to v256 use the last section of a name, stubs from v257 on the first: the ' +
        'same file boots different payloads',
      fix: `remove ${copies.join(', ')}`,
      legs: [],
    })
  },
})
