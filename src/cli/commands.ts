/** The command table: parsing, help and docs/reference/cli.md are made from it. */
import type { Command, Option } from './command.ts'
import { explain, spec } from './explain.ts'

const help: Option = { name: 'help', short: 'h', help: 'print this help' }
const output: Option = { name: 'output', short: 'o', value: 'FILE', help: 'write the result there instead of to stdout' }
const verbose: Option = { name: 'verbose', short: 'v', help: 'say on stderr what is done' }

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'explain',
    operand: { name: 'RULE', required: 'never', help: 'a rule such as clobbered-object; without it, the list of rules' },
    summary: 'print what a rule means, why it matters and what to do',
    options: [output, verbose, help],
    exits: [[0, 'the page was printed']],
    examples: ['stubsim explain', 'stubsim explain clobbered-object'],
    run: explain,
  },
  {
    name: 'spec',
    operand: { name: 'CLAUSE', required: 'never', help: 'a clause such as PE-7 or a chapter such as PE; without it, all chapters with their titles' },
    summary: 'print a clause of the law behind the model, with its source',
    options: [output, verbose, help],
    exits: [[0, 'the clause was printed']],
    examples: ['stubsim spec', 'stubsim spec PE', 'stubsim spec PE-7'],
    run: spec,
  },
]
