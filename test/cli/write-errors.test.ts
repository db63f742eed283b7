/** Results that cannot be written, and names that would steer a terminal. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { MAIN, scratch, stubsim } from '../support/program.ts'

const { folder, file } = scratch()

/** Runs the built program under bash; `$0` is node and `$1` the program. */
function shell(script: string): {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
} {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
    encoding: 'utf8',
    cwd: folder,
    timeout: 20000,
  })
  return { code: status, stdout, stderr }
}

const NOT_WRITTEN = 'stubsim: standard output cannot be written: the result is not complete\n'

describe('a write error of our own is one line and exit 2', () => {
  test.each([
    ['"$0" "$1" spec > /dev/full', NOT_WRITTEN],
    ['"$0" "$1" --help > /dev/full', NOT_WRITTEN],
    ['"$0" "$1" spec --output /dev/full', 'stubsim: /dev/full: no space left\n'],
    ['"$0" "$1" nothing 2> /dev/full', ''],
    ['"$0" "$1" profiles --verbose 2> /dev/full > /dev/null', ''],
    ['"$0" "$1" spec > /dev/full 2> /dev/full', ''],
    // A file that may not grow any more, as on a full disk
    ['trap "" XFSZ; ulimit -f 1; "$0" "$1" spec > grown; exit $?', NOT_WRITTEN],
  ])('%s', (script, stderr) => {
    expect(shell(script)).toEqual({ code: 2, stdout: '', stderr })
  })

  test('a reader that has gone is none, and the exit code stays', () => {
    expect(shell('"$0" "$1" spec | true; exit ${PIPESTATUS[0]}')).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(shell('{ "$0" "$1" nothing 2>&1 >&3; echo $? >&3; } 3>&1 | true').code).toBe(0)
  })
})

/** What no terminal may be sent, but the ends of lines. */
const STEERS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
const steers = (text: string): string | undefined => STEERS.exec(text.replaceAll('\n', ''))?.[0]
const NASTY = 'a\u001b]0;x\u0007\u009b31m\u202eb\u200b\u2066\u2028\u00ad\ufeff\u{e0041}\nstubsim: \ttrue\r'

describe('nothing of a name, a key or a file steers a terminal', () => {
  const key = file('key.json', JSON.stringify({ schema: 1, [NASTY]: 1, image: { file: 'a' } }))
  const scenario = file(
    `${NASTY.replaceAll('/', '')}.json`,
    JSON.stringify({
      schema: 1,
      name: NASTY,
      image: {
        uki: {
          stub: '257.13',
          sections: [
            { name: '.linux', VirtualAddress: 0x2000000, content: { kernel: 'debian-6.12.107-cloud' } },
            { name: '\u001b[2J\u202e', VirtualAddress: 0x8000000, content: { text: NASTY } },
            { name: '.cmdline', VirtualAddress: 0x9000000, content: { text: NASTY } },
            { name: '.osrel', VirtualAddress: 0x9010000, content: { text: NASTY } },
          ],
        },
      },
      machine: { ram: '512MiB', firmware: 'ovmf-2022.11-q35' },
    }),
  )
  const formats = ['text', 'json', 'markdown', 'sarif', 'junit']

  test.each([
    ...[NASTY, join(folder, NASTY)].flatMap(name => [
      [name],
      ['check', name, '--ram', '1G', '--firmware', 'ovmf'],
      ['inspect', name],
      ['explain', name],
      ['spec', name],
      ['eras', name],
      ['check', 'x', `--${name}`],
      ['check', 'x', '--ram', name],
      ['check', 'x', '--ram', '1G', '--firmware', name],
      ['check', 'x', '--memmap', name],
      ['spec', '-o', join(name, 'x')],
    ]),
    ['check', '--scenario', key],
  ])('refused: %j', async (...args) => {
    const { code, stdout, stderr } = await stubsim(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^stubsim: [^\n]+\n$/)
    expect(steers(stderr)).toBeUndefined()
  })

  test.each(formats)('printed as %s, and logged', async format => {
    const { stdout, stderr } = await stubsim(['check', '--scenario', scenario, '--format', format, '-v'])
    expect(stdout.length).toBeGreaterThan(500)
    expect(steers(stdout)).toBeUndefined()
    expect(steers(stderr)).toBeUndefined()
    expect(stderr).not.toMatch(/^(?!stubsim: debug: )./m)
    // A name with a newline does not begin a line of its own
    expect(stdout).not.toMatch(/^stubsim: /m)
    if (format === 'json')
      expect((JSON.parse(stdout) as { image: { name: string } }).image.name).toContain(NASTY)
  })

  test.each([['map'], ['trace', '--all']])(
    '%j, with the colours of our own and no others',
    async (...args) => {
      const { stdout } = await stubsim([...args, '--scenario', scenario, '--color', 'always'])
      const own = /\u001b\[(?:\d;)?\d+m/g
      expect(stdout).toMatch(own)
      expect(steers(stdout.replace(own, ''))).toBeUndefined()
    },
  )

  test('inspect shows such a file', async () => {
    const { buildUki } = await import('../../src/image/synthetic.ts')
    const { STUB_FACTS } = await import('../../src/image/stub-facts.ts')
    const { bytesOf } = await import('../support/bytes.ts')
    const image = buildUki({
      stub: STUB_FACTS['257.13'],
      sections: [
        { name: '\u001b[2J', VirtualAddress: 0x20000, content: { text: NASTY } },
        { name: '.osrel', VirtualAddress: 0x30000, content: { text: NASTY } },
      ],
    })
    const path = file(`${NASTY}.efi`, bytesOf(image))
    for (const args of [
      ['inspect', path],
      ['inspect', path, '--format', 'json'],
      ['image-loaders', path],
    ]) {
      const { stdout } = await stubsim(args)
      expect(stdout.length).toBeGreaterThan(100)
      expect([args[0], steers(stdout)]).toEqual([args[0], undefined])
      expect(stdout).not.toMatch(/^stubsim: /m)
    }
  })
})
