/** Slot commandLine: whose command line, and the string that is made of it (chapter ST). */
import { rangeAt } from '../../../../src/bytes/range.ts'
import { EfiLoaderData } from '../../../../src/image/memory-types.ts'
import type { ClauseId } from '../../../../src/machine/machine.ts'
import type { LoadOptions } from '../../../../src/machine/model.ts'
import { told } from '../../../../src/machine/told.ts'
import type { Booting, CommandLine, Found, Located } from '../model.ts'
import { assumedSources, customLine, extended, type SourceRules } from './line-sources.ts'
import { utf8Text, type LineRule } from './line-text.ts'
import type { OptionsRule } from './load-options.ts'
import { sectionOf } from './locate.ts'
import { poolOrHalt } from './patch.ts'

/** Longest stretch that is searched for the end of a string. */
const TEXT_MAX = 2 ** 20
/** The object of a string that the stub made of LoadOptions or of `.cmdline`, in UTF-16. */
export const UTF16_LINE = 'cmdline:utf-16'

function asEightBit(on: Booting, options: LoadOptions, write: (code: number) => number): CommandLine {
  const bytes = Math.floor(options.bytes / 2)
  const got = on.machine.firmware.allocatePool(EfiLoaderData, bytes, options.object)
  if (got.status !== 'EFI_SUCCESS')
    return on.machine.gap('ST-15', 'no pool for the command line: the stub writes through a null pointer')
  const line = Uint8Array.from({ length: bytes }, (_, i) =>
    i < options.text.length ? write(options.text.charCodeAt(i)) & 0xff : 0,
  )
  on.machine.memory.patch(got.at, line, options.object)
  return { at: got.at, bytes, text: latin1(line), object: options.object }
}

const latin1 = (bytes: Uint8Array): string => Array.from(bytes, byte => String.fromCharCode(byte)).join('')

function inSection(
  { machine }: Booting,
  clause: ClauseId,
  { at, size }: Found,
): { readonly bytes: Uint8Array; readonly known: boolean } {
  const { bytes, known } = machine.memory.peek(rangeAt(at, Math.min(size, TEXT_MAX)))
  if (!known)
    machine.doubt(
      clause,
      'what the command line says is not known: its section holds bytes that are not modelled',
    )
  return { bytes, known }
}

/** What a row of the early eras says of LoadOptions. */
export interface EightBitRules {
  /** Which it takes. */
  readonly options: OptionsRule
  readonly underSecureBoot: 'never options' | 'options without section'
  /** What becomes of a character. */
  readonly write: (code: number) => number
}

/** As it is; the low byte is kept. */
export const asItIs = (code: number): number => code
/** A space in place of what is not printable ASCII. */
export const spaced = (code: number): number => (code <= 0x1f || code >= 0x7f ? 0x20 : code)

/** All bytes of `.cmdline`, or of LoadOptions. */
export function eightBitLine(
  clause: ClauseId,
  { options: rule, underSecureBoot, write }: EightBitRules,
): (on: Booting, located: Located) => CommandLine | null {
  const choose = (on: Booting, located: Located): CommandLine | null =>
    on.machine.step(clause, 'chooses the command line', () => {
      const section = sectionOf(located, '.cmdline')
      const options = rule(on.self)
      const free =
        !on.machine.settings.secureBoot || (underSecureBoot === 'options without section' && section === null)
      if (free && options !== null) return asEightBit(on, options, write)
      if (section === null) return null
      return {
        at: section.at,
        bytes: section.size,
        text: latin1(inSection(on, clause, section).bytes),
        object: section.object,
      }
    })
  return told(choose, { options: rule, underSecureBoot, write })
}

/** The characters and a NUL, two bytes each. */
function utf16(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * (text.length + 1))
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true)
  return bytes
}

/**
 * The string in pool. `room`: characters that fit with a NUL behind them; `known` is false where the bytes
 * that it is made of are not modelled.
 */
function asUtf16(
  on: Booting,
  rule: LineRule,
  raw: string,
  room: number,
  object: string,
  known = true,
): CommandLine {
  return on.machine.step('ST-18', 'makes a string of it', () => {
    const text =
      rule(raw) ?? on.machine.gap('ST-92', 'a command line of blanks only: the stub reads on behind its end')
    const at = poolOrHalt(on, 'ST-18', 2 * (room + 1), UTF16_LINE)
    const bytes = utf16(text)
    if (known) on.machine.memory.patch(at, bytes, UTF16_LINE)
    else on.machine.memory.make(rangeAt(at, bytes.length), UTF16_LINE)
    return { at, bytes: bytes.length, text, object }
  })
}

function fromSection(on: Booting, clause: ClauseId, rule: LineRule, section: Found): CommandLine {
  const { machine } = on
  machine.memory.readAs(rangeAt(section.at, section.size), section.object)
  const { bytes, known } = inSection(on, clause, section)
  const nul = bytes.indexOf(0)
  if (nul < 0 && section.size > TEXT_MAX) machine.gap(clause, 'a command line of more than 1 MiB')
  return asUtf16(on, rule, utf8Text(bytes), section.size, section.object, known)
}

/** What a row of the later eras says of the command line. */
export interface Utf16Rules extends SourceRules {
  /** Does the stub name the firmware's console where the line names none? */
  readonly firmwareConsole: 'left alone' | 'added'
}

/** A line that something was appended to. */
const EXTENDED = 'cmdline:extended'

function withExtras(on: Booting, line: CommandLine | null, rules: Utf16Rules): CommandLine | null {
  const text = extended(on, line?.text ?? null, rules)
  if (text === null) return line
  const longer = asUtf16(on, same => same, text, text.length, EXTENDED)
  if (line !== null) on.machine.firmware.freePool(line.at)
  return longer
}

/** A line without console= may get one. */
function assumeNoConsole({ machine }: Booting, line: CommandLine | null): void {
  if (!/(?:^| )console=/.test(line?.text ?? ''))
    machine.assume(
      'ST-75',
      'the firmware has no console that the stub would add to a command line without console=',
    )
}

/**
 * A UTF-16 string in pool: of LoadOptions, unless Secure Boot is on and the image brings its own; else of
 * `.cmdline`.
 */
export function utf16Line(
  clause: ClauseId,
  rules: Utf16Rules,
): (on: Booting, located: Located) => CommandLine | null {
  const choose = (on: Booting, located: Located): CommandLine | null =>
    on.machine.step(clause, 'chooses the command line', () => {
      const absent = assumedSources(on)
      if (absent !== '') on.machine.assume(clause, absent)
      const section = sectionOf(located, '.cmdline')
      const custom = customLine(on, section, rules)
      const first =
        rules.profiles && custom !== null
          ? asUtf16(on, custom.rule, custom.text, custom.text.length, customObject(on))
          : null
      const uname = sectionOf(located, '.uname')
      if (uname !== null) poolOrHalt(on, clause, uname.size + 1, 'stub:uname')
      const chosen =
        first ??
        (custom !== null
          ? asUtf16(on, custom.rule, custom.text, custom.text.length, customObject(on))
          : section === null
            ? null
            : fromSection(on, clause, rules.text, section))
      const line = withExtras(on, chosen, rules)
      if (rules.firmwareConsole === 'added') assumeNoConsole(on, line)
      return line
    })
  return told(choose, { ...rules })
}

/** What the bytes of a custom line are. */
const customObject = ({ self }: Booting): string => self.loadOptions?.object ?? 'load-options'

/** Makes a UTF-16 string in pool of a line that has eight bits: what LoadOptions of the kernel point to. */
export function widened(on: Booting, line: CommandLine | null): CommandLine | null {
  return line === null
    ? null
    : on.machine.step('ST-74', 'widens the command line', () => {
        if (line.bytes > 0) on.machine.memory.readAs(rangeAt(line.at, line.bytes), line.object)
        const at = poolOrHalt(on, 'ST-74', 2 * (line.text.length + 1), UTF16_LINE)
        const bytes = utf16(line.text)
        on.machine.memory.patch(at, bytes, UTF16_LINE)
        return { ...line, at, bytes: bytes.length }
      })
}
