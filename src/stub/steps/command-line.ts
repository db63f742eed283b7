/** Slot commandLine: which command line is used, and the string made from it (chapter ST). */
import { rangeAt } from '../../bytes/range.ts'
import { fileOffset } from '../../bytes/units.ts'
import { EfiLoaderData } from '../../image/memory-types.ts'
import type { ClauseId } from '../../machine/machine.ts'
import type { LoadOptions } from '../../machine/model.ts'
import type { CommandLineBehaviour, StubBehaviour } from '../behaviour.ts'
import type { CommandLine, PayloadSection, Sections, StubContext } from '../model.ts'
import { assumedSources, customLine, extended, type Sources } from './line-sources.ts'
import { lineRule, type LineRule, utf8Text, written } from './line-text.ts'
import { takenOptions } from './load-options.ts'
import { sectionOf } from './locate.ts'
import { xmalloc } from './xmalloc.ts'

/** Longest range that is searched for the end of a string, in bytes. */
const TEXT_MAX = 2 ** 20
/** Object name of the UTF-16 string made from LoadOptions or `.cmdline`. */
export const UTF16_LINE = 'cmdline:utf-16'

function asEightBit(ctx: StubContext, options: LoadOptions, rule: CommandLineBehaviour): CommandLine {
  const bytes = Math.floor(options.bytes / 2)
  const got = ctx.machine.firmware.allocatePool(EfiLoaderData, bytes, options.object)
  if (got.status !== 'EFI_SUCCESS')
    return ctx.machine.gap('ST-15', 'no pool for the command line: the stub writes through a null pointer')
  const line = Uint8Array.from({ length: bytes }, (_, i) =>
    i < options.text.length ? written(options.text.charCodeAt(i), rule) & 0xff : 0,
  )
  ctx.machine.memory.patch(got.at, line, options.object)
  return { at: got.at, bytes, text: latin1(line), object: options.object }
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, byte => String.fromCharCode(byte)).join('')

function inSection(
  { machine }: StubContext,
  clause: ClauseId,
  { at, size }: PayloadSection,
  text = 'the command line',
): { readonly bytes: Uint8Array; readonly known: boolean } {
  const { bytes, known } = machine.memory.peek(rangeAt(at, Math.min(size, TEXT_MAX)))
  if (!known)
    machine.unmodelled(
      clause,
      `the text of ${text} is unknown: its section contains bytes that are not modelled`,
    )
  return { bytes, known }
}

/** Which command line a release uses, and the string made from it. */
export function settleCommandLine(
  line: CommandLineBehaviour,
  options: StubBehaviour['loadOptions'],
): (ctx: StubContext, sections: Sections) => CommandLine | null {
  const sources = { line, options }
  if (line.encoding === 'UTF-16') {
    const clause = utf16Clause(options)
    return (ctx, sections) => utf16Line(ctx, sections, clause, sources)
  }
  const clause = eightBitClause(sources)
  return (ctx, sections) => eightBitLine(ctx, sections, clause, sources)
}

/** Bytes up to the first NUL that the file has in the section, it included; all when there is none. */
function lengthInFile({ source, size }: PayloadSection): number {
  const nul = source.read(fileOffset(0), Math.min(size, TEXT_MAX)).indexOf(0)
  return nul < 0 ? size : nul + 1
}

/** The clause that says when LoadOptions count. */
function eightBitClause({ line, options }: Sources): ClauseId {
  if (line.spaces !== 'none') return 'ST-74'
  if (line.underSecureBoot === 'without .cmdline') return 'ST-15'
  if (options.taken === 'any') return 'ST-73'
  return options.taken === 'text' ? 'ST-72' : 'ST-14'
}

/** xstrndup8: the bytes up to the first NUL, and a NUL. */
function copyUname(ctx: StubContext, uname: PayloadSection): void {
  ctx.machine.step('ST-110', 'copies .uname', () => {
    const { bytes } = inSection(ctx, 'ST-110', uname, '.uname')
    const nul = bytes.indexOf(0)
    xmalloc(ctx, 'ST-110', (nul < 0 ? uname.size : nul) + 1, 'stub:uname')
  })
}

function utf16Clause({ taken, profile }: Sources['options']): ClauseId {
  if (!profile) return 'ST-16'
  return taken === 'printable' ? 'ST-85' : 'ST-17'
}

/** All bytes of `.cmdline`, or of LoadOptions. */
function eightBitLine(
  ctx: StubContext,
  sections: Sections,
  clause: ClauseId,
  { line, options }: Sources,
): CommandLine | null {
  return ctx.machine.step(clause, 'chooses the command line', () => {
    const section = sectionOf(sections, '.cmdline')
    const taken = takenOptions(ctx, options)
    const free =
      !ctx.machine.settings.secureBoot || (line.underSecureBoot === 'without .cmdline' && section === null)
    if (free && taken !== null) return asEightBit(ctx, taken, line)
    if (section === null) return null
    return {
      at: section.at,
      bytes: section.size,
      ends: lengthInFile(section),
      text: latin1(inSection(ctx, clause, section).bytes),
      object: section.object,
    }
  })
}

/** The characters and a NUL, two bytes each. */
function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * (text.length + 1))
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true)
  return bytes
}

/**
 * The string in pool. `room`: characters that fit with a NUL after them; `known` is false if the bytes it is
 * made from are not modelled.
 */
function asUtf16(
  ctx: StubContext,
  rule: LineRule,
  raw: string,
  room: number,
  object: string,
  known = true,
): CommandLine {
  return ctx.machine.step('ST-18', 'mangle_stub_cmdline makes a string from it', () => {
    const text =
      rule(raw) ?? ctx.machine.gap('ST-92', 'a command line of blanks only: the stub reads on past its end')
    const at = xmalloc(ctx, 'ST-18', 2 * (room + 1), UTF16_LINE)
    const bytes = utf16(text)
    if (known) ctx.machine.memory.patch(at, bytes, UTF16_LINE)
    else ctx.machine.memory.make(rangeAt(at, bytes.length), UTF16_LINE)
    return { at, bytes: bytes.length, text, object }
  })
}

function fromSection(
  ctx: StubContext,
  clause: ClauseId,
  rule: LineRule,
  section: PayloadSection,
): CommandLine {
  const { machine } = ctx
  machine.memory.readAs(rangeAt(section.at, section.size), section.object)
  const { bytes, known } = inSection(ctx, clause, section)
  const nul = bytes.indexOf(0)
  if (nul < 0 && section.size > TEXT_MAX) machine.gap(clause, 'a command line of more than 1 MiB')
  return asUtf16(ctx, rule, utf8Text(bytes), section.size, section.object, known)
}

/** A line to which something was appended. */
const EXTENDED = 'cmdline:extended'

function withExtras(
  ctx: StubContext,
  line: CommandLine | null,
  behaviour: CommandLineBehaviour,
): CommandLine | null {
  const text = extended(ctx, line?.text ?? null, behaviour)
  if (text === null) return line
  const longer = asUtf16(ctx, same => same, text, text.length, EXTENDED)
  if (line !== null) ctx.machine.firmware.freePool(line.at)
  return longer
}

/** A line without console= may get one. */
function assumeNoConsole({ machine }: StubContext, line: CommandLine | null): void {
  if (!/(?:^| )console=/.test(line?.text ?? ''))
    machine.assume(
      'ST-75',
      'the firmware has no console device that the stub would add to a command line without console=',
    )
}

/**
 * A UTF-16 string in pool: of LoadOptions, unless Secure Boot is on and the image has its own; otherwise of
 * `.cmdline`.
 */
function utf16Line(
  ctx: StubContext,
  sections: Sections,
  clause: ClauseId,
  sources: Sources,
): CommandLine | null {
  const { line: behaviour, options } = sources
  const by = options.profile ? 'settle_command_line' : 'use_load_options'
  return ctx.machine.step(clause, `${by} chooses the command line`, () => {
    const absent = assumedSources(ctx)
    if (absent !== '') ctx.machine.assume(clause, absent)
    const section = sectionOf(sections, '.cmdline')
    const custom = customLine(ctx, section, sources)
    const made = (): CommandLine | null =>
      custom === null ? null : asUtf16(ctx, custom.rule, custom.text, custom.text.length, customObject(ctx))
    const first = options.profile ? made() : null
    const uname = sectionOf(sections, '.uname')
    if (uname !== null) copyUname(ctx, uname)
    const own = (): CommandLine | null =>
      section === null ? null : fromSection(ctx, clause, lineRule(behaviour), section)
    const chosen = first ?? (options.profile ? null : made()) ?? own()
    const line = withExtras(ctx, chosen, behaviour)
    if (behaviour.namesConsole) assumeNoConsole(ctx, line)
    return line
  })
}

/** The object name of a custom line. */
const customObject = ({ self }: StubContext): string => self.loadOptions?.object ?? 'load-options'

/** Makes a UTF-16 string in pool from an 8-bit line; the kernel's LoadOptions point to it. */
export function widened(ctx: StubContext, line: CommandLine | null): CommandLine | null {
  return line === null
    ? null
    : ctx.machine.step('ST-74', 'widens the command line', () => {
        if (line.bytes > 0) ctx.machine.memory.readAs(rangeAt(line.at, line.bytes), line.object)
        const at = xmalloc(ctx, 'ST-74', 2 * (line.text.length + 1), UTF16_LINE)
        const bytes = utf16(line.text)
        ctx.machine.memory.patch(at, bytes, UTF16_LINE)
        return { ...line, at, bytes: bytes.length }
      })
}
