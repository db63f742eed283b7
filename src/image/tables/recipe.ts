/**
 * The recipe of an image before it is run: `objcopy --add-section … --change-section-vma …`, anywhere in a
 * script. Source: GNU binutils 2.40 objcopy(1); systemd-stub(7).
 */

/** A section that the recipe adds. */
export interface RecipeSection {
  readonly name: string
  /** As written: a path, or an expression for the shell. */
  readonly file: string
  /** Address as objcopy takes it, including ImageBase; null if the recipe has no number. */
  readonly address: bigint | null
}

export interface ObjcopyRecipe {
  readonly sections: readonly RecipeSection[]
  /** Path of the stub; null if the command has none. */
  readonly stub: string | null
  /**
   * Sizes in bytes by file name without folders, from `ls -l`, `wc -c`, `stat -c '%s %n'` or `du -b` after
   * the recipe.
   */
  readonly sizes: ReadonlyMap<string, number>
}

/** Blanks, quoted text, an escaped character, an expansion of the shell, anything else. */
const PART = /(\s+)|"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|(\$\(\([^()]{0,200}\)\)|[^\s"'\\$]+|\$)|["'\\]/g
const LS = /^[\s>|+]{0,40}-[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d{1,15})\s.{0,400}?([^/\s]+)$/
const COUNTED = /^[\s>|+]{0,40}(\d{1,15})\s{1,20}(?:\S{0,400}\/)?([^/\s]{1,255})$/
/** Options whose value is a separate word. */
const VALUED =
  /^(?:-[IOBFjRKNLGWxX]|--(?:add-section|change-section-(?:vma|address|lma)|adjust-section-vma|set-section-(?:flags|alignment)|remove-section|only-section|update-section|rename-section|image-base|subsystem|stack|heap|target|input-target|output-target))$/

/** The words of a command as a shell splits it; quoted parts are joined to their neighbours. */
function wordsOf(command: string): string[] {
  const words: string[] = []
  let word: string | null = null
  for (const [, blank, double, single, escaped, plain] of command.matchAll(PART)) {
    if (blank === undefined) {
      word = (word ?? '') + (double?.replace(/\\(.)/g, '$1') ?? single ?? escaped ?? plain ?? '')
      continue
    }
    if (word !== null) words.push(word)
    word = null
  }
  return word === null ? words : [...words, word]
}

function numberOf(text: string): bigint | null {
  return /^(?:0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) ? BigInt(text.toLowerCase()) : null
}

/** The first recipe in the text; null if there is none. */
export function readRecipe(text: string): ObjcopyRecipe | null {
  const lines = text.replace(/\\[ \t]*\r?\n[\s>|+]{0,40}/g, ' ').split(/\r?\n/)
  const line = lines.find(one => /\bobjcopy\b/.test(one) && one.includes('--add-section'))
  if (line === undefined || line.length > 65536) return null
  const [, ...words] = wordsOf(line.slice(line.search(/[\w-]*objcopy\b/)))
  const files = new Map<string, string>()
  const addresses = new Map<string, bigint | null>()
  const operands: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (/^(?:&&|\|\||[;|&]|#.*|\d?>.*)$/.test(word)) break
    if (!word.startsWith('-')) {
      operands.push(word)
      continue
    }
    const [option = '', inline] = /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word]
    const value = inline ?? (VALUED.test(option) ? (words[++i] ?? '') : '')
    const at = value.indexOf('=')
    const [name, rest] = [value.slice(0, Math.max(at, 0)), value.slice(at + 1)]
    if (option === '--add-section') files.set(name, rest)
    if (/^--change-section-(?:vma|address)$/.test(option)) addresses.set(name, numberOf(rest))
  }
  const sizes = new Map<string, number>()
  for (const one of lines) {
    const [, size = '', file = ''] = LS.exec(one.slice(0, 1000)) ?? COUNTED.exec(one.slice(0, 1000)) ?? []
    if (file !== '') sizes.set(file, Number(size))
  }
  return {
    sections: [...files].map(([name, file]) => ({ name, file, address: addresses.get(name) ?? null })),
    stub: operands[0] ?? null,
    sizes,
  }
}
