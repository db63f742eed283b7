#!/usr/bin/env node
/**
 * The executable: connects the program to its process. The only file that reads argv or sets the exit code.
 */
import { keepCompiled } from './compile-cache.ts'
import { outputTo } from './output.ts'

/** As for any other thing that cannot be used; never the code of a verdict. */
const EXIT_NOT_WRITTEN = 2

keepCompiled(process.env)
const stdout = outputTo(1, () => process.stdout)
const stderr = outputTo(2, () => process.stderr)
void import('./program.ts')
  .then(({ main }) => main(process.argv.slice(2), { stdout, stderr, stdin: 0, env: process.env }))
  .then(async code => {
    process.exitCode = code
    if (!(await stdout.written())) {
      process.exitCode = EXIT_NOT_WRITTEN
      stderr.write('stubsim: standard output cannot be written: the result is not complete\n')
    }
    if (!(await stderr.written())) process.exitCode = EXIT_NOT_WRITTEN
  })
