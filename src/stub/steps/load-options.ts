/** LoadOptions that the firmware gave to the stub, and the profile that they may ask for (chapter ST). */
import type { LoadedImage, LoadOptions } from '../../machine/model.ts'

/** LoadOptions of at least one character, the first of them no control character; else null. */
export function printableOptions({ loadOptions }: LoadedImage): LoadOptions | null {
  return loadOptions !== null && loadOptions.bytes >= 2 && loadOptions.text.charCodeAt(0) > 0x1f ? loadOptions : null
}

/** Splits a profile specifier off: `@2 quiet` is profile 2 with the rest `quiet`. */
export function profileIn(text: string): { readonly profile: number; readonly rest: string } {
  const match = /^@(\d+)(?: |$)/.exec(text)
  const profile = Number(match?.[1])
  return match === null || profile >= 2 ** 32 ? { profile: 0, rest: text } : { profile, rest: text.slice(match[0].length) }
}

/** The profile that LoadOptions ask for; 0 when they ask for none. */
export function chosenProfile(self: LoadedImage): number {
  const options = printableOptions(self)
  return options === null ? 0 : profileIn(options.text).profile
}
