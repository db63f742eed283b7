/**
 * What somebody adds to the house, as data: the files that it takes and what happens to their text. The table
 * in docs/CONTRIBUTING.md counts them; tests carry them out on a copy.
 */

/** What a file becomes: an edit of its text, or the whole text of a new file. */
export type Edit = string | ((text: string) => string)
export type Edits = Readonly<Record<string, Edit>>

export interface Addition {
  /** As the table in docs/CONTRIBUTING.md calls it. */
  readonly kind: string
  /** What the program prints once it has been built with it. */
  readonly shown: readonly [args: readonly string[], text: string]
  /** The files of src and docs that it takes, by path. */
  readonly files: Edits
  /** Tests that show its effect, and the text of its clauses: nobody counts them. */
  readonly beside: Edits
}

/** The text of a file after an edit. `text` is null where there is no such file. */
export function edited(path: string, text: string | null, edit: Edit): string {
  if (typeof edit === 'string') {
    if (text !== null) throw new Error(`${path} is there already`)
    return edit
  }
  if (text === null) throw new Error(`there is no ${path}`)
  return edit(text)
}

/** Puts a text in the place of another one, which stands once. */
export function put(there: string, instead: string): (text: string) => string {
  return text => {
    const [front = '', ...rest] = text.split(there)
    if (rest.length !== 1)
      throw new Error(`stands ${String(rest.length)} times, not once: ${JSON.stringify(there)}`)
    return `${front}${instead}${rest.join('')}`
  }
}

/** Puts a text after another one, which stands once. */
export function behind(there: string, more: string): (text: string) => string {
  return put(there, `${there}${more}`)
}

/** Puts a text before another one, which stands once. */
export function before(there: string, more: string): (text: string) => string {
  return put(there, `${more}${there}`)
}

/** Puts a text at the end. */
export function atEnd(more: string): (text: string) => string {
  return text => `${text}${more}`
}

/** One edit after the other. */
export function all(...edits: readonly ((text: string) => string)[]): (text: string) => string {
  return text => edits.reduce((sum, edit) => edit(sum), text)
}
