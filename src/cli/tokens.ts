/**
 * Options and operands of a command line as `parseArgs` of node:util finds them, which costs more to load
 * than to write: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`, flags in a group (`-qv`), and `--`
 * before operands.
 */

/** What is known of an option: its names, and whether a value follows. */
export interface KnownOption {
  readonly names: readonly string[]
  /** One letter. */
  readonly short: string | undefined
  readonly takesValue: boolean
}

/** An option as written, or an operand. */
export type Token =
  | {
      readonly kind: 'option'
      /** The long name, known or not; of an unknown short option its letter. */
      readonly name: string
      /** As written, without a value. */
      readonly rawName: string
      readonly value: string | undefined
      /** Is the value in the same argument? */
      readonly inline: boolean
    }
  | { readonly kind: 'operand'; readonly value: string }

/** All tokens in order. Unknown options are taken for flags. */
export function tokensOf(args: readonly string[], options: readonly KnownOption[]): Token[] {
  const tokens: Token[] = []
  const rest = [...args]
  const operand = (value: string): void => {
    tokens.push({ kind: 'operand', value })
  }
  const inline = (name: string, rawName: string, value: string): void => {
    tokens.push({ kind: 'option', name, rawName, value, inline: true })
  }
  /** An option without a value of its own: the next argument is it, even if that begins with a dash. */
  const alone = (name: string, rawName: string): void => {
    const takes = options.some(({ names, takesValue }) => takesValue && names.includes(name))
    tokens.push({ kind: 'option', name, rawName, value: takes ? rest.shift() : undefined, inline: false })
  }
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') rest.splice(0).forEach(operand)
    else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=')
      if (!arg.includes('=', 3)) alone(arg.slice(2), arg)
      else inline(arg.slice(2, equals), arg.slice(0, equals), arg.slice(equals + 1))
    } else if (arg.startsWith('-') && arg.length > 1) {
      const { name, takesValue } = lettered(arg.charAt(1), options)
      if (arg.length === 2) alone(name, arg)
      else if (takesValue) inline(name, arg.slice(0, 2), arg.slice(2))
      else rest.unshift(...ungrouped(arg, options))
    } else operand(arg)
  }
  return tokens
}

/** The option of a letter; one that is unknown is called by the letter. */
function lettered(
  letter: string,
  options: readonly KnownOption[],
): { readonly name: string; readonly takesValue: boolean } {
  const option = options.find(({ short }) => short === letter)
  const named = option ?? options.find(({ names }) => names.includes(letter))
  return { name: option?.names[0] ?? letter, takesValue: named?.takesValue ?? false }
}

/** `-q`, `-v`, `-ofile` for `-qvofile`. */
function ungrouped(group: string, options: readonly KnownOption[]): string[] {
  const single: string[] = []
  for (let at = 1; at < group.length; at++) {
    const letter = group.charAt(at)
    if (lettered(letter, options).takesValue) return [...single, `-${group.slice(at)}`]
    single.push(`-${letter}`)
  }
  return single
}
