#!/usr/bin/env node
/**
 * The executable: connects the program to its process. The only file that reads argv or sets the exit code.
 */
import { loaderOf } from './compile-cache.ts'
import { outputTo } from './output.ts'
import type * as Program from './program.ts'

/** Inserted by the build: a hash of the program's bundles. */
declare const BUILD: string

/** The exit code for unusable input; never that of a verdict. */
const EXIT_NOT_WRITTEN = 2

const argv = process.argv.slice(2)
const stdout = outputTo(1, () => process.stdout)
const stderr = outputTo(2, () => process.stderr)
const load = loaderOf(process.env, import.meta.filename, BUILD, argv[0])
const { main } = load('./program.js') as typeof Program
void main(argv, { stdout, stderr, stdin: 0, env: process.env }).then(async code => {
  process.exitCode = code
  if (!(await stdout.written())) {
    process.exitCode = EXIT_NOT_WRITTEN
    stderr.write('stubsim: standard output cannot be written: the result is not complete\n')
  }
  if (!(await stderr.written())) process.exitCode = EXIT_NOT_WRITTEN
  // All output is written and nothing is open: exiting now skips Node's own teardown
  process.exit()
})
