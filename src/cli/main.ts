#!/usr/bin/env node
/** The executable: gives the program its process. The only file that reads argv or sets the exit code. */
import { main } from './program.ts'

// A reader that has seen enough closes the pipe: `stubsim check … | head`
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: Error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error
  })
process.exitCode = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: 0,
  env: process.env,
})
