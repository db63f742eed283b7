/** The log: errors always, everything else with -v. One line of text per record, without time and process. */
import { pino } from 'pino'
import { printable } from '../report/layout.ts'

export interface Log {
  /** With -v. `fields` are appended as name=value. */
  debug(what: string, fields?: Readonly<Record<string, string | number>>): void
  warn(what: string): void
  error(what: string): void
}

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug: ', 40: 'warning: ', 50: '' }

/**
 * A record of pino as a line: `stubsim: debug: opened file=uki.efi`. A message never takes more than one
 * line, and every character of it is printable.
 */
export function formatRecord(record: string): string {
  const { level, msg, ...fields } = JSON.parse(record) as { level: number; msg: string } & Record<
    string,
    unknown
  >
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${String(value)}`)
  return `${printable(`stubsim: ${LEVELS[level] ?? ''}${msg}${rest.join('')}`)}\n`
}

/** The log of one invocation; `write` gets whole lines. */
export function createLog(verbose: boolean, write: (line: string) => void): Log {
  const logger = pino(
    { level: verbose ? 'debug' : 'error', base: null, timestamp: false },
    {
      write: record => {
        write(formatRecord(record))
      },
    },
  )
  return {
    debug: (what, fields = {}) => {
      logger.debug(fields, what)
    },
    warn: what => {
      logger.warn(what)
    },
    error: what => {
      logger.error(what)
    },
  }
}
