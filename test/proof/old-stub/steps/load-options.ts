/** LoadOptions that the firmware gave to the stub, and the profile that they may ask for (chapter ST). */
import type { LoadedImage, LoadOptions } from '../../../../src/machine/model.ts'
import type { Booting } from '../model.ts'

/** Which LoadOptions an era takes; null for those that it leaves alone. */
export type OptionsRule = (self: LoadedImage) => LoadOptions | null

function optionsIf({ loadOptions }: LoadedImage, holds: (text: string) => boolean): LoadOptions | null {
  return loadOptions !== null && loadOptions.bytes >= 2 && holds(loadOptions.text) ? loadOptions : null
}

/** Any. */
export const anyOptions: OptionsRule = self => optionsIf(self, () => true)
/** Those whose first character is not NUL. */
export const textOptions: OptionsRule = self => optionsIf(self, text => text !== '' && !text.startsWith('\0'))
/** Those whose first character is no control character. */
export const printableOptions: OptionsRule = self => optionsIf(self, text => text.charCodeAt(0) > 0x1f)
/** Those without any control character up to their NUL, and not empty. */
export const cleanOptions: OptionsRule = self => optionsIf(self, text => /^[^\0-\x1f]+(?:\0|$)/.test(text))

/** Splits a profile specifier off: `@2 quiet` is profile 2 with the rest `quiet`. */
export function profileIn(text: string): { readonly profile: number; readonly rest: string } {
  const match = /^@(\d+)(?: |$)/.exec(text)
  const profile = Number(match?.[1])
  return match === null || profile >= 2 ** 32
    ? { profile: 0, rest: text }
    : { profile, rest: text.slice(match[0].length) }
}

/** The profile that the first argument of the shell asks for; null when it asks for none. */
export function profileArgument([first = '']: readonly string[]): number | null {
  const profile = Number(/^@(\d+)$/.exec(first)?.[1])
  return profile < 2 ** 32 ? profile : null
}

/** The profile that the shell's arguments or LoadOptions ask for; 0 when they ask for none. */
export function chosenProfile({ machine, self }: Booting, rule: OptionsRule): number {
  const { shell } = machine.settings
  if (shell !== undefined) return profileArgument(shell) ?? 0
  const options = rule(self)
  return options === null ? 0 : profileIn(options.text).profile
}
