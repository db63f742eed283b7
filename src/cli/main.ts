#!/usr/bin/env node
/** The program: argv in, exit code out. The only file that reads argv, writes to stdout or exits. */
import { UsageError } from '../bytes/errors.ts'
import { VERSION } from '../version.ts'
import type { Command, Given } from './command.ts'
import { commands } from './commands.ts'
import { openFiles } from './files.ts'
import { commandHelp, overviewHelp } from './help.ts'
import { createLog, type Log } from './log.ts'
import { parseCommandLine } from './parse.ts'

const EXIT_USAGE = 2
/** EX_SOFTWARE of sysexits.h. */
const EXIT_BUG = 70

function wantsColor(given: Given): boolean {
  const choice = given.text('color') ?? 'auto'
  return choice === 'auto'
    ? process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && given.text('output') === undefined
    : choice === 'always'
}

const WIDTHS = { least: 60, most: 120 } as const

function widthFor(given: Given): number {
  const { columns } = process.stdout
  if (!process.stdout.isTTY || given.text('output') !== undefined || !(columns > 0)) return WIDTHS.most
  return Math.min(WIDTHS.most, Math.max(WIDTHS.least, columns))
}

async function runCommand(command: Command, given: Given, log: Log): Promise<number> {
  const files = openFiles()
  try {
    const parts: string[] = []
    const code = await command.run({
      ...given,
      files,
      log,
      color: wantsColor(given),
      width: widthFor(given),
      print: text => {
        parts.push(text)
      },
    })
    const output = given.text('output')
    if (output === undefined) process.stdout.write(parts.join(''))
    else files.write(output, parts.join(''))
    return code
  } finally {
    const { read, of } = files.total()
    log.debug('files', { read, of })
    if (given.has('stats')) process.stderr.write(`read ${String(read)} bytes of ${String(of)}\n`)
    files.close()
  }
}

async function main(argv: readonly string[]): Promise<number> {
  let log = createLog(false)
  try {
    const request = parseCommandLine(argv, commands)
    if (request.kind === 'version') process.stdout.write(`stubsim ${VERSION}\n`)
    else if (request.kind === 'help') {
      const help = request.command === null ? overviewHelp(commands) : commandHelp(request.command)
      ;(request.asked ? process.stdout : process.stderr).write(help)
      return request.asked ? 0 : EXIT_USAGE
    } else {
      log = createLog(request.given.has('verbose'))
      return await runCommand(request.command, request.given, log)
    }
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      log.error(error.message)
      return EXIT_USAGE
    }
    log.error(
      `bug in stubsim ${VERSION}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    )
    if (error instanceof Error) log.debug(error.stack ?? '')
    return EXIT_BUG
  }
}

// A reader that has seen enough closes the pipe: `stubsim check … | head`
process.stdout.on('error', (error: Error) => {
  if (!('code' in error) || error.code !== 'EPIPE') throw error
})
process.exitCode = await main(process.argv.slice(2))
