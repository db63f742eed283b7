/**
 * Sources of the command line in later eras, besides .cmdline: LoadOptions, the EFI shell, add-ons and SMBIOS
 * (chapter ST).
 */
import type { CommandLineBehaviour, StubBehaviour } from '../behaviour.ts'
import type { PayloadSection, StubContext } from '../model.ts'
import { lineRule, type LineRule } from './line-text.ts'
import { profileArgument, profileIn, takenOptions } from './load-options.ts'

/** The parts of a release's behaviour that decide where a line comes from. */
export interface Sources {
  readonly line: CommandLineBehaviour
  readonly options: StubBehaviour['loadOptions']
}

/** A custom line, and how it is processed. */
export interface CustomLine {
  readonly text: string
  readonly rule: LineRule
}

const untouched: LineRule = text => text

function cString(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}

/**
 * The line passed to the stub; null when there is none or it is not allowed. In releases with profile
 * specifiers, the shell's arguments are used unchanged and LoadOptions are ignored.
 */
export function customLine(
  ctx: StubContext,
  section: PayloadSection | null,
  { line, options }: Sources,
): CustomLine | null {
  const { machine } = ctx
  const { secureBoot, shell, confidentialVm = false } = machine.settings
  if (secureBoot && (section !== null || (confidentialVm && line.asksConfidentialVm))) return null
  if (shell !== undefined && options.profile) {
    return machine.step('ST-93', 'takes the arguments of the EFI shell', () => {
      const text = shell.slice(profileArgument(shell) === null ? 0 : 1).join(' ')
      return text === '' ? null : { text, rule: untouched }
    })
  }
  const taken = takenOptions(ctx, options)
  if (taken === null) return null
  const rule = lineRule(line)
  if (shell !== undefined)
    return machine.step('ST-93', 'takes the arguments of the EFI shell', () =>
      shell.length === 0 ? null : { text: shell.join(' '), rule },
    )
  const text = cString(taken.text)
  if (!options.profile) return { text, rule }
  const { rest } = profileIn(text)
  return rule(rest) === '' ? null : { text: rest, rule }
}

/** The line with what is appended to it; null if nothing is. */
export function extended(
  { machine, addons }: StubContext,
  line: string | null,
  behaviour: CommandLineBehaviour,
): string | null {
  const { smbiosCmdline, confidentialVm = false } = machine.settings
  const rule = lineRule(behaviour)
  let text = line
  const merged = (addons?.lines ?? []).length === 0 ? '' : (rule((addons?.lines ?? []).join(' ')) ?? '')
  if (merged !== '') text = text === null || text === '' ? merged : `${text} ${merged}`
  if (smbiosCmdline !== undefined && !confidentialVm && behaviour.smbios !== 'ignored') {
    machine.step('ST-94', 'cmdline_append_and_measure_smbios appends the SMBIOS string', () => {
      const extra = behaviour.smbios === 'appended trimmed' ? (rule(smbiosCmdline) ?? '') : smbiosCmdline
      if (behaviour.smbios === 'appended') text = `${text ?? '(null)'} ${extra}`
      else if (extra !== '') text = text === null || text === '' ? extra : `${text} ${extra}`
    })
  }
  return text === line ? null : text
}

/** Unspecified inputs, and what is assumed about them. */
export function assumedSources({ machine: { settings } }: StubContext): string {
  const absent = [
    ...(settings.addons === undefined ? ['no add-ons on the ESP'] : []),
    ...(settings.smbiosCmdline === undefined ? ['no command line from SMBIOS'] : []),
    ...(settings.confidentialVm === undefined ? ['no confidential VM'] : []),
    ...(settings.shell === undefined ? ['not started from the EFI shell'] : []),
  ]
  return absent.join(', ')
}
