/** The formats of a report, and the layout of JSON. */

export const REPORT_FORMATS = ['text', 'json', 'markdown', 'sarif', 'junit'] as const
/** Those of them, and of the results of other commands, that are JSON. */
export const JSON_FORMATS = ['json', 'sarif'] as const

/** Data as JSON text, for all commands. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
