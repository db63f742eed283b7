/** What a command is: data for the parser, the help and the reference page, and a function. */
import type { Files } from './files.ts'
import type { Log } from './log.ts'

/** An option. Without `value` it is a flag. */
export interface Option {
  /** Long name without dashes. */
  readonly name: string
  readonly short?: string
  /** A name that it once had: still taken, without a word, and in no help. */
  readonly formerly?: string
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string
  /** What the value must be; the parser checks it. Default: any text that is not empty. */
  readonly kind?: 'size' | 'address'
  /** The only values taken. */
  readonly choices?: readonly string[]
  /** One sentence fragment, lower case, no full stop. */
  readonly help: string
}

/** The one operand of a command. */
export interface Operand {
  readonly name: string
  /** `unless`: names the option that makes it superfluous. */
  readonly required: 'always' | 'never' | { readonly unless: string }
  readonly help: string
}

export interface Command {
  readonly name: string
  /** A name that it once had: still taken, without a word, and in no help. */
  readonly formerly?: string
  readonly operand: Operand | null
  /** One line, lower case, no full stop. */
  readonly summary: string
  readonly options: readonly Option[]
  /** Exit codes beside 2 and 70, which every command has. */
  readonly exits: readonly (readonly [code: number, meaning: string])[]
  /** Command lines that show it; a test parses each. */
  readonly examples: readonly string[]
  /**
   * The result goes to `call.print`; the exit code is returned. Throws UsageError for input that cannot be
   * used.
   */
  run(call: Call): number | Promise<number>
}

/** Options and operand as given, checked against the table. */
export interface Given {
  readonly operand: string | null
  has(flag: string): boolean
  text(option: string): string | undefined
  /** Bytes, for options of kind size or address. */
  quantity(option: string): number | undefined
}

/** What a command gets. */
export interface Call extends Given {
  readonly files: Files
  /** What is done, for -v. */
  readonly log: Pick<Log, 'debug'>
  /** Colours on stdout are wanted. */
  readonly color: boolean
  /**
   * Width of the terminal that reads the result, in characters, within what prose can be read in; 120 for a
   * file or a pipe.
   */
  readonly width: number
  /** Adds to the result. */
  print(text: string): void
}
