/** The forms of a report, and how data is laid out in JSON. */

export const REPORT_FORMATS = ['text', 'json', 'markdown', 'sarif', 'junit'] as const
/** Those of them, and of the results of other commands, that are JSON. */
export const JSON_FORMATS = ['json', 'sarif'] as const

/** Data as the JSON texts of all commands are laid out. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
