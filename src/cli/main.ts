#!/usr/bin/env node
/**
 * The executable: connects the program to its process. The only file that reads argv or sets the exit code.
 */
import { keepCompiled } from './compile-cache.ts'
import { outputTo } from './output.ts'

keepCompiled(process.env)
void import('./program.ts')
  .then(({ main }) =>
    main(process.argv.slice(2), {
      stdout: outputTo(1, () => process.stdout),
      stderr: outputTo(2, () => process.stderr),
      stdin: 0,
      env: process.env,
    }),
  )
  .then(code => {
    process.exitCode = code
  })
