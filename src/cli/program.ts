/** The program as a function: command line in, exit code out. It accesses the process only through `Io`. */
import { UsageError } from '../bytes/errors.ts'
import { printableJson } from '../report/layout.ts'
import { VERSION } from '../version.ts'
import { shown } from './color.ts'
import type { Call, Command, Given } from './command.ts'
import { commands } from './commands.ts'
import { openFiles } from './files.ts'
import { JSON_FORMATS } from './formats.ts'
import { commandHelp, overviewHelp } from './help.ts'
import type { Log } from './log.ts'
import { parseCommandLine } from './parse.ts'

/** An output. `isTTY` and `columns` as in Node's tty.WriteStream. */
export interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** The program's interface to its process. */
export interface Io {
  /** Results. */
  readonly stdout: Output
  /** The log, `--stats`, and help for an empty command line. */
  readonly stderr: Output
  /** The open file descriptor for `-`. */
  readonly stdin: number
  /** Read for NO_COLOR. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The log without -v: silent, so that no logger is loaded. */
const NO_LOG: Pick<Log, 'debug'> = { debug: () => undefined }

const EXIT_USAGE = 2
/** EX_SOFTWARE of sysexits.h. */
const EXIT_BUG = 70

function wantsColor(given: Given, { stdout, env }: Io): boolean {
  const choice = given.text('color') ?? 'auto'
  return choice === 'auto'
    ? stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && given.text('output') === undefined
    : choice === 'always'
}

const WIDTHS = { least: 60, usual: 80, most: 120 } as const

function widthFor(given: Given, { stdout: { isTTY = false, columns = 0 } }: Io): number {
  if (!isTTY || given.text('output') !== undefined || !(columns > 0)) return WIDTHS.usual
  return Math.min(WIDTHS.most, Math.max(WIDTHS.least, columns))
}

/**
 * The only place where results are written: no character that controls a terminal passes from a file or its
 * name.
 */
function atEdge(result: string, given: Given, io: Io): string {
  const isJson = JSON_FORMATS.some(format => format === given.text('format'))
  return isJson ? printableJson(result) : shown(result, wantsColor(given, io))
}

async function runCommand(
  command: Command,
  given: Given,
  log: Call['log'],
  io: Io,
  complain: Call['complain'],
): Promise<number> {
  const files = openFiles(io.stdin)
  try {
    const parts: string[] = []
    const code = await command.run({
      ...given,
      files,
      log,
      color: wantsColor(given, io),
      width: widthFor(given, io),
      print: text => {
        parts.push(text)
      },
      complain,
    })
    const output = given.text('output')
    const result = atEdge(parts.join(''), given, io)
    if (output === undefined) io.stdout.write(result)
    else files.write(output, result)
    return code
  } finally {
    const { read, of } = files.total()
    log.debug('files', { read, of })
    if (given.has('stats')) io.stderr.write(`read ${String(read)} bytes of ${String(of)}\n`)
    files.close()
  }
}

/**
 * Runs one command line, without the program's name, and resolves to its exit code: the command's own, 2 for
 * a usage error, 70 for a bug in stubsim. Never rejects, and does not change the process.
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const openLog = async (verbose: boolean): Promise<Log> =>
    (await import('./log.ts')).createLog(verbose, line => io.stderr.write(line))
  let log: Log | undefined
  try {
    const request = parseCommandLine(argv, commands)
    if (request.kind === 'version') io.stdout.write(`stubsim ${VERSION}\n`)
    else if (request.kind === 'help') {
      const help = request.command === null ? overviewHelp(commands) : commandHelp(request.command)
      ;(request.asked ? io.stdout : io.stderr).write(help)
      return request.asked ? 0 : EXIT_USAGE
    } else {
      if (request.given.has('verbose')) log = await openLog(true)
      const complaints: string[] = []
      const code = await runCommand(request.command, request.given, log ?? NO_LOG, io, what => {
        complaints.push(what)
      })
      if (complaints.length > 0) log ??= await openLog(false)
      for (const what of complaints) log?.error(what)
      return code
    }
    return 0
  } catch (error) {
    log ??= await openLog(false)
    if (error instanceof UsageError) {
      log.error(error.message)
      return EXIT_USAGE
    }
    log.error(
      `bug in stubsim ${VERSION}: ` +
        (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
    )
    if (error instanceof Error) log.debug((error.stack ?? '').replace(/\s*\n\s*/g, ' '))
    return EXIT_BUG
  }
}
