import { describe, expect, test } from 'vitest'
import { diffEras, diffText } from '../../src/cli/eras-diff.ts'
import { stubsim } from '../support/program.ts'

const titles = new Map([
  ['ST-27', 'The kernel chooses'],
  ['ST-59', 'The kernel chooses later'],
])

describe('two rows of a table', () => {
  test('the slots that differ are told, the others named', () => {
    const { from, to, changed, same, rows } = diffEras('257.13', '262.1')
    expect([from.id, to.id]).toEqual(['systemd-stub/S6/257.11', 'systemd-stub/S8'])
    expect(changed.map(({ slot }) => slot)).toEqual([
      'sectionTable',
      'locate',
      'commandLine',
      'door',
      'placeKernel',
      'bootParams',
    ])
    expect(changed.find(({ slot }) => slot === 'door')).toMatchObject({
      from: { clauses: ['ST-27'] },
      to: { clauses: ['ST-59', 'ST-60', 'ST-67'] },
      particulars: false,
    })
    expect(changed.find(({ slot }) => slot === 'sectionTable')).toMatchObject({ particulars: true })
    expect(same).toContain('initrd')
    expect(rows.map(({ id }) => id)).toContain('systemd-stub/S7')
    expect(rows.at(-1)?.id).toBe('systemd-stub/S8')
  })

  test('a row is the same as itself, and the way back has the same rows', () => {
    expect(diffEras('systemd-stub/S2', '247.3')).toMatchObject({ changed: [], rows: [] })
    expect(diffText(diffEras('247.3', '247.3'), titles)).toContain('no slot differs')
    const back = diffEras('262.1', '257.13')
    expect(back.rows[0]?.id).toBe('systemd-stub/S8/261.1')
    expect(back.rows.at(-1)?.id).toBe('systemd-stub/S6/257.11')
    expect(back.changed.map(({ slot }) => slot)).toEqual(
      diffEras('257.13', '262.1').changed.map(({ slot }) => slot),
    )
  })

  test('kernels by version and by id', () => {
    expect(diffEras('5.7-rc1', 'linux/E5')).toMatchObject({
      from: { id: 'linux/E1' },
      to: { id: 'linux/E5' },
    })
    expect(diffEras('5.7-rc1', 'linux/E5').changed.length).toBeGreaterThan(3)
  })

  test('in words, with clauses and commits', () => {
    const text = diffText(diffEras('254.26', '258'), titles)
    expect(text).toContain(
      "  door\n    was       looks at the kernel's PE header (ST-27 The kernel chooses)\n    is        looks at the kernel's PE header (ST-59 The kernel chooses later",
    )
    expect(text).toMatch(/ {4}told {6}\S/)
    expect(text).toMatch(/ {4}since {5}systemd-stub\/S7 \(commits cab9c7b5a4/)
    const kernels = diffText(diffEras('5.6', '5.8'), titles)
    expect(kernels).toContain('since     linux/E2c (commits 59476f80d878)')
    expect(kernels).toContain('since     linux/E2f (commits 987053a30016)')
    expect(text).toMatch(/^same {6}pool, variables/m)
    expect(text).toMatch(/commits {3}cab9c7b5a4/)
  })
})

describe('the command', () => {
  test('prints text or data', async () => {
    const { code, stdout, stderr } = await stubsim(['eras', '--diff', '242', '247.3'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('ST-15 LoadOptions replace .cmdline')
    expect(
      JSON.parse((await stubsim(['eras', '--diff', '242', '247.3', '--format', 'json'])).stdout),
    ).toMatchObject({
      schema: 1,
      changed: [{ slot: 'commandLine' }],
    })
  })

  test.each([
    [['eras', '247.3'], /only as the second of --diff A B/],
    [['eras', '--diff', '247.3'], /--diff needs two versions or ids/],
    [['eras', '--diff', '247.3', '99'], /no row of stub or kernel for 99; stubsim eras lists them/],
    [['eras', '--diff', 'systemd-stub/S2', 'linux/E1'], /are rows of different tables/],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await stubsim(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })
})
