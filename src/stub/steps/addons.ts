/** Slot addons: PE files beside the image, and the sections the stub takes from them (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { add } from '../../bytes/units.ts'
import type { Addon } from '../../machine/machine.ts'
import type { LoadedImage } from '../../machine/model.ts'
import type { PeSection } from '../../image/pe.ts'
import type { AddonSection, StubBehaviour } from '../behaviour.ts'
import type { Addons, InitrdPiece, Sections, StubContext } from '../model.ts'
import { utf8Text } from './line-text.ts'
import { sectionOf } from './locate.ts'
import { xmalloc } from './xmalloc.ts'

type Match = StubBehaviour['locate']['match']

/**
 * Takes these sections from every add-on, found by name as in the image itself; an empty list: the release
 * does not support add-ons.
 */
export function loadAddons(
  { sections: wanted }: StubBehaviour['addons'],
  match: Match,
): (ctx: StubContext, sections: Sections) => Addons {
  return wanted.length === 0 ? ignoreAddons : (ctx, sections) => loadAll(ctx, sections, wanted, match)
}

/** The last section with that prefix, or the first one of that name; null if it has no bytes. */
function sectionNamed({ pe }: LoadedImage, name: string, match: Match): PeSection | null {
  const one =
    match === 'name'
      ? pe.sections.find(section => section.name === name)
      : pe.sections.findLast(section => section.name.startsWith(name))
  return one === undefined || one.VirtualSize === 0 ? null : one
}

function ignoreAddons({ machine }: StubContext): Addons {
  return machine.step('ST-96', 'does not look for add-ons', () => ({ lines: [], initrds: [], ucodes: [] }))
}

/** Each is loaded, its sections are copied to pool, then it is unloaded. */
function loadAll(
  ctx: StubContext,
  sections: Sections,
  wanted: readonly AddonSection[],
  match: Match,
): Addons {
  return ctx.machine.step('ST-95', 'load_addons loads add-ons', () => {
    const taken: { lines: string[]; initrds: InitrdPiece[]; ucodes: InitrdPiece[] } = {
      lines: [],
      initrds: [],
      ucodes: [],
    }
    for (const addon of ctx.machine.settings.addons ?? [])
      take(ctx, sections, { wanted, match }, addon, taken)
    return { ...taken, ucodes: taken.ucodes.reverse() }
  })
}

function take(
  ctx: StubContext,
  sections: Sections,
  { wanted, match }: { readonly wanted: readonly AddonSection[]; readonly match: Match },
  { name, source }: Addon,
  taken: { readonly lines: string[]; readonly initrds: InitrdPiece[]; readonly ucodes: InitrdPiece[] },
): void {
  const { machine } = ctx
  const ignored = (why: string): void => {
    machine.assume('ST-95', `the add-on ${name} is skipped: ${why}`)
  }
  const loaded = machine.firmware.loadImage({
    from: { kind: 'file', source },
    name: `addon:${name}`,
    ownerOf: section => ({ object: `addon:${name}:${section.name}`, at: 0 }),
  })
  if (loaded.image === null) {
    ignored(`the firmware refuses it, ${loaded.why}`)
    return
  }
  const { image } = loaded
  const find = (section: string): PeSection | null =>
    ctx.machine.step('ST-111', 'looks for a section of the add-on', () => sectionNamed(image, section, match))
  const found = wanted.filter(section => find(section) !== null)
  if (found.length === 0) ignored(`it has no ${wanted.join('/')} section`)
  else if (find('.linux') !== null) ignored('it is a unified kernel image')
  else if (!sameUname(ctx, sections, image, find('.uname'))) ignored('its .uname differs')
  else for (const section of found) use(ctx, image, name, section, find(section), taken)
  machine.firmware.unloadImage(image)
}

const bytesOf = (
  { machine }: StubContext,
  image: LoadedImage,
  { VirtualAddress, VirtualSize }: PeSection,
): Uint8Array => machine.memory.peek(rangeAt(add(image.base, VirtualAddress), VirtualSize)).bytes

function sameUname(
  ctx: StubContext,
  sections: Sections,
  image: LoadedImage,
  theirs: PeSection | null,
): boolean {
  const ours = sectionOf(sections, '.uname')
  if (ours === null || theirs === null) return true
  const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes).replace(/\0.*$/s, '')
  return (
    text(ctx.machine.memory.peek(rangeAt(ours.at, ours.size)).bytes).slice(0, theirs.VirtualSize) ===
    text(bytesOf(ctx, image, theirs))
  )
}

function use(
  ctx: StubContext,
  image: LoadedImage,
  name: string,
  section: AddonSection,
  header: PeSection | null,
  taken: { readonly lines: string[]; readonly initrds: InitrdPiece[]; readonly ucodes: InitrdPiece[] },
): void {
  if (header === null) return
  if (section === '.cmdline') {
    taken.lines.push(utf8Text(bytesOf(ctx, image, header)))
    return
  }
  if (section === '.dtb' || section === '.dtbauto') {
    ctx.machine.unmodelled(
      'ST-47',
      `${section} of the add-on ${name} is copied to pages of EfiACPIReclaimMemory, which are not modelled`,
    )
    return
  }
  const object = `addon:${name}:${section}`
  const at = xmalloc(ctx, 'ST-95', header.VirtualSize, object)
  ctx.machine.memory.copy(at, rangeAt(add(image.base, header.VirtualAddress), header.VirtualSize))
  const piece: InitrdPiece = {
    at,
    size: header.VirtualSize,
    parts: [{ object, at: 0, length: header.VirtualSize }],
    section: null,
    kept: true,
  }
  if (section === '.initrd') taken.initrds.push(piece)
  else taken.ucodes.push(piece)
}
