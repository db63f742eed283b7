/** LoadOptions passed by the firmware, and the profile they may select (chapter ST). */
import type { LoadOptions } from '../../machine/model.ts'
import type { StubBehaviour } from '../behaviour.ts'
import type { StubContext } from '../model.ts'

type OptionsBehaviour = StubBehaviour['loadOptions']

/** The texts that a release accepts. */
const TAKES: Readonly<Record<OptionsBehaviour['taken'], (text: string) => boolean>> = {
  any: () => true,
  /** The first character is not NUL. */
  text: text => text !== '' && !text.startsWith('\0'),
  /** The first character is not a control character. */
  'printable first': text => text.charCodeAt(0) > 0x1f,
  /** No control character up to its NUL, and not empty. */
  printable: text => /^[^\0-\x1f]+(?:\0|$)/.test(text),
}

/** The accepted LoadOptions; null for those that the release ignores. */
export function takenOptions({ self }: StubContext, { taken }: OptionsBehaviour): LoadOptions | null {
  const { loadOptions } = self
  return loadOptions !== null && loadOptions.bytes >= 2 && TAKES[taken](loadOptions.text) ? loadOptions : null
}

/** Splits a profile specifier off: `@2 quiet` is profile 2 with the rest `quiet`. */
export function profileIn(text: string): { readonly profile: number; readonly rest: string } {
  const match = /^@(\d+)(?: |$)/.exec(text)
  const profile = Number(match?.[1])
  return match === null || profile >= 2 ** 32
    ? { profile: 0, rest: text }
    : { profile, rest: text.slice(match[0].length) }
}

/** The profile selected by the first shell argument; null for none. */
export function profileArgument([first = '']: readonly string[]): number | null {
  const profile = Number(/^@(\d+)$/.exec(first)?.[1])
  return profile < 2 ** 32 ? profile : null
}

/** The profile selected by the shell's arguments or LoadOptions; 0 for none. */
export function chosenProfile(ctx: StubContext, options: OptionsBehaviour): number {
  const { shell } = ctx.machine.settings
  if (shell !== undefined) return profileArgument(shell) ?? 0
  const taken = takenOptions(ctx, options)
  return taken === null ? 0 : profileIn(taken.text).profile
}
