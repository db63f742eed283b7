// Shows two stories through the built program: what `npm start` runs.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const program = join(here, '../dist/cli/main.js')

function show(sample, before) {
  console.log(
    `\n${'='.repeat(80)}\n${before}\n\n$ stubsim check --scenario samples/${sample}/scenario.json\n`,
  )
  const done = spawnSync(
    process.execPath,
    [program, 'check', '--scenario', join(here, sample, 'scenario.json')],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  console.log(`\nexit code ${done.status}`)
  if (done.status !== 1) process.exitCode = 1
}

console.log(`stubsim predicts what a boot does to memory: the firmware loads a unified kernel
image, systemd-stub starts the kernel, the kernel extracts itself. It records
which object every byte belongs to, so it sees what is overwritten before it is
read.

Two stories from April 2020, when Linux 5.7-rc1 stopped booting from such images.`)
show(
  '2020-04-bss-not-zeroed',
  'One: the kernel reads variables past the end of its file, which nobody cleared.\n' +
    'Look at the finding marked "damage".',
)
show(
  '2020-04-init-window-over-initrd',
  'Two: a kernel that stays in place extracts itself over its initrd. The finding has\n' +
    'three legs: placed, overwritten, used.',
)
console.log(`\n${'='.repeat(80)}
Both boots are predicted to fail (exit code 1), without a reboot. Where to go next:

  npx stubsim check FILE                your own image
  npx stubsim explain clobbered-object  what a finding means and what to do
  npx stubsim spec ZO-12                the clause of a step, with its source
  docs/tutorial.md                      a file, a finding, a fix, in ten minutes
  docs/explanation/the-2020-thread.md   what happened in April 2020`)
