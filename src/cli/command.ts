/** What a command is: data for the parser, the help and the reference page, and a function. */
import type { Files } from './files.ts'
import type { Log } from './log.ts'

/** An option. Without `value` it is a flag. */
export interface Option {
  /** Long name without dashes. */
  readonly name: string
  readonly short?: string
  /** A former name: still accepted, and not in any help. */
  readonly formerly?: string
  /** Placeholder of the value in the help: `FILE`. */
  readonly value?: string
  /** Kind of the value, checked by the parser. Default: any non-empty text. */
  readonly kind?: 'size' | 'address'
  /** The only accepted values. */
  readonly choices?: readonly string[]
  /** May be repeated. commas: one text may also have several values, separated by commas. */
  readonly several?: 'repeated' | 'commas'
  /** One sentence fragment, lower case, no full stop. */
  readonly help: string
}

/** The operand of a command. */
export interface Operand {
  readonly name: string
  /** May there be more than one? */
  readonly several?: true
  /** `unless`: the option that replaces it. */
  readonly required: 'always' | 'never' | { readonly unless: string }
  readonly help: string
}

export interface Command {
  readonly name: string
  /** A former name: still accepted, and not in any help. */
  readonly formerly?: string
  readonly operand: Operand | null
  /** One line, lower case, no full stop. */
  readonly summary: string
  readonly options: readonly Option[]
  /** Paragraphs for the help, below the options. */
  readonly notes?: readonly string[]
  /** Exit codes besides 2 and 70, which every command has. */
  readonly exits: readonly (readonly [code: number, meaning: string])[]
  /** Example command lines; a test parses each. */
  readonly examples: readonly string[]
  /**
   * Prints the result with `call.print` and returns the exit code. Throws UsageError for input that cannot be
   * used.
   */
  run(call: Call): number | Promise<number>
}

/** Options and operand as given, checked against the table. */
export interface Given {
  /** The first operand. */
  readonly operand: string | null
  /** All of them. */
  readonly operands: readonly string[]
  has(flag: string): boolean
  /** The value; of several the first. */
  text(option: string): string | undefined
  /** All values, each once, in their order. */
  texts(option: string): readonly string[]
  /** Bytes, for options of kind size or address. */
  quantity(option: string): number | undefined
}

/** Input of a command. */
export interface Call extends Given {
  readonly files: Files
  /** Log for -v. */
  readonly log: Pick<Log, 'debug'>
  /** Use colours on stdout? */
  readonly color: boolean
  /** Width of the terminal, in characters, limited for readability; 80 for a file or a pipe. */
  readonly width: number
  /** Adds to the result. */
  print(text: string): void
  /** One line on stderr beside a result that has exit code 2. */
  complain(what: string): void
}
