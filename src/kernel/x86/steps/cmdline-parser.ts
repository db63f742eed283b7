/** The command line parsers of the EFI stub and of the decompressor, which differ. Chapters EP and ZO. */

/** `name` or `name=value`, without quotes around the value. */
export interface Parameter {
  readonly name: string
  readonly value: string | null
}

/** isspace below 0x80. */
const SPACE = /[\t-\r ]/

/**
 * next_arg: parameters in their order, up to a `--` of its own. A quoted parameter may contain spaces.
 * Source: linux@5.10.223 lib/cmdline.c.
 */
export function parametersOf(line: string): readonly Parameter[] {
  if (parsed?.line !== line) parsed = { line, parameters: parametersIn(line) }
  return parsed.parameters
}

/** The last line and its parameters: one boot asks several times, and the next boot often has the same. */
let parsed: { readonly line: string; readonly parameters: readonly Parameter[] } | null = null

function parametersIn(line: string): Parameter[] {
  const found: Parameter[] = []
  let at = 0
  while (at < line.length) {
    if (SPACE.test(line.charAt(at))) {
      at += 1
      continue
    }
    const quoted = line.charAt(at) === '"'
    const start = quoted ? at + 1 : at
    let inQuote = quoted
    let end = start
    for (; end < line.length && (inQuote || !SPACE.test(line.charAt(end))); end++)
      if (line.charAt(end) === '"') inQuote = !inQuote
    const parameter = split(line.slice(start, end), quoted)
    if (parameter.name === '--' && parameter.value === null) break
    found.push(parameter)
    at = end
  }
  return found
}

function split(text: string, quoted: boolean): Parameter {
  const whole = quoted && text.endsWith('"') ? text.slice(0, -1) : text
  // A leading equals sign does not separate
  const equals = whole.indexOf('=', 1)
  if (equals < 0) return { name: whole, value: null }
  const value = whole.slice(equals + 1)
  return {
    name: whole.slice(0, equals),
    value: value.startsWith('"') ? value.slice(1).replace(/"$/, '') : value,
  }
}

/**
 * cmdline_find_option_bool: is it a word of its own, delimited by spaces and control characters? Source:
 * linux@5.10.223 arch/x86/boot/cmdline.c.
 */
export function hasFlag(line: string, option: string): boolean {
  return line.includes(option) && line.split(/[\x00- ]+/).includes(option)
}

/** Options of the EFI stub. */
export interface StubOptions {
  readonly nokaslr: boolean
  readonly noinitrd: boolean
  /** Is specific-purpose memory soft-reserved? Not with `efi=nosoftreserve`; the last `efi=` counts. */
  readonly softReserve: boolean
}

/** efi_parse_options. Source: linux@6.12.107 drivers/firmware/efi/libstub/efi-stub-helper.c. */
export function stubOptions(line: string): StubOptions {
  if (known?.line !== line) known = { line, options: optionsIn(line) }
  return known.options
}

/** The last line and its options: one boot asks several times. */
let known: { readonly line: string; readonly options: StubOptions } | null = null

function optionsIn(line: string): StubOptions {
  const parameters = parametersOf(line)
  const efi = parameters.filter(({ name, value }) => name === 'efi' && value !== null).at(-1)
  return {
    nokaslr: parameters.some(({ name }) => name === 'nokaslr'),
    noinitrd: parameters.some(({ name }) => name === 'noinitrd'),
    softReserve: !(efi?.value ?? '').split(',').includes('nosoftreserve'),
  }
}

/**
 * strstr, then a check of the character before: only the first match counts. Source: linux@6.12.107
 * drivers/firmware/efi/libstub/x86-stub.c parse_options.
 */
export function standsFirst(line: string, option: string): boolean {
  const at = line.indexOf(option)
  return at === 0 || (at > 0 && SPACE.test(line.charAt(at - 1)))
}
