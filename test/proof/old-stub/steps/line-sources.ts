/**
 * Where the later eras take a command line from, besides .cmdline: LoadOptions, the EFI shell, add-ons and
 * SMBIOS (chapter ST).
 */
import type { Booting, Found } from '../model.ts'
import type { LineRule } from './line-text.ts'
import { profileArgument, profileIn, type OptionsRule } from './load-options.ts'

/** What a row of the later eras says of custom command lines. */
export interface SourceRules {
  readonly options: OptionsRule
  /**
   * A line may begin with a profile specifier; then the shell's line is taken as it is, and LoadOptions are
   * not looked at.
   */
  readonly profiles: boolean
  /** What becomes of the text. */
  readonly text: LineRule
  /** Is a line ruled out in a confidential VM under Secure Boot? */
  readonly confidential: 'asked' | 'not asked'
  /** What is appended: nothing, add-ons and the SMBIOS string as it is, or the string trimmed. */
  readonly extras: 'none' | 'as it is' | 'trimmed'
}

/** A custom line, and what is done to it. */
export interface CustomLine {
  readonly text: string
  readonly rule: LineRule
}

const untouched: LineRule = text => text

function cString(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}

/** The line that was given from outside; null when there is none, or none may be given. */
export function customLine(
  { machine, self }: Booting,
  section: Found | null,
  rules: SourceRules,
): CustomLine | null {
  const { secureBoot, shell, confidentialVm = false } = machine.settings
  if (secureBoot && (section !== null || (confidentialVm && rules.confidential === 'asked'))) return null
  if (shell !== undefined && rules.profiles) {
    return machine.step('ST-93', 'takes the arguments of the EFI shell', () => {
      const text = shell.slice(profileArgument(shell) === null ? 0 : 1).join(' ')
      return text === '' ? null : { text, rule: untouched }
    })
  }
  const options = rules.options(self)
  if (options === null) return null
  if (shell !== undefined)
    return machine.step('ST-93', 'takes the arguments of the EFI shell', () =>
      shell.length === 0 ? null : { text: shell.join(' '), rule: rules.text },
    )
  const text = cString(options.text)
  if (!rules.profiles) return { text, rule: rules.text }
  const { rest } = profileIn(text)
  return rules.text(rest) === '' ? null : { text: rest, rule: rules.text }
}

/** The line with what is appended to it; null when that is nothing. */
export function extended(
  { machine, addons }: Booting,
  line: string | null,
  rules: SourceRules,
): string | null {
  const { smbiosCmdline, confidentialVm = false } = machine.settings
  if (rules.extras === 'none') return null
  let text = line
  const merged = (addons?.lines ?? []).length === 0 ? '' : (rules.text((addons?.lines ?? []).join(' ')) ?? '')
  if (merged !== '') text = text === null || text === '' ? merged : `${text} ${merged}`
  if (smbiosCmdline !== undefined && !confidentialVm) {
    machine.step('ST-94', 'appends the string of SMBIOS', () => {
      const extra = rules.extras === 'trimmed' ? (rules.text(smbiosCmdline) ?? '') : smbiosCmdline
      if (rules.extras === 'as it is') text = `${text ?? '(null)'} ${extra}`
      else if (extra !== '') text = text === null || text === '' ? extra : `${text} ${extra}`
    })
  }
  return text === line ? null : text
}

/** What was not said of the machine, and is assumed. */
export function assumedSources({ machine: { settings } }: Booting): string {
  const absent = [
    ...(settings.addons === undefined ? ['no add-ons on the ESP'] : []),
    ...(settings.smbiosCmdline === undefined ? ['no command line from SMBIOS'] : []),
    ...(settings.confidentialVm === undefined ? ['no confidential VM'] : []),
    ...(settings.shell === undefined ? ['not started from the EFI shell'] : []),
  ]
  return absent.join(', ')
}
