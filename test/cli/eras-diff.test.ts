import { describe, expect, test } from 'vitest'
import { diffEras, diffText } from '../../src/cli/eras-diff.ts'
import { stubsim } from '../support/program.ts'

const titles = new Map([
  ['ST-27', 'The kernel chooses'],
  ['ST-59', 'The kernel chooses later'],
])

describe('two eras of a product', () => {
  test('the records that differ are told, the others named', () => {
    const { from, to, records, same, came, gone } = diffEras('257.13', '262.1')
    expect([from.id, to.id]).toEqual(['systemd-stub/S6/257.11', 'systemd-stub/S8'])
    expect(records.map(({ record }) => record)).toEqual([
      'loadOptions',
      'sectionTable',
      'locate',
      'commandLine',
      'entryMethod',
      'placeKernel',
      'bootParams',
    ])
    expect(records.find(({ record }) => record === 'entryMethod')).toMatchObject({
      clauses: { from: ['ST-27', 'ST-28', 'ST-29'] },
    })
    expect(same).toContain('initrd')
    expect(came.map(({ commits }) => commits[0])).toContain('cab9c7b5a4')
    expect(gone.map(({ commits }) => commits[0])).toEqual(['19812661f1'])
  })

  test('an era is the same as itself, and the way back has the same changes', () => {
    expect(diffEras('systemd-stub/S2', '247.3')).toMatchObject({ records: [], came: [], gone: [] })
    expect(diffText(diffEras('247.3', '247.3'), titles)).toContain('no record differs')
    const [there, back] = [diffEras('257.13', '262.1'), diffEras('262.1', '257.13')]
    expect(back).toMatchObject({ came: there.gone, gone: there.came })
    expect(back.records.map(({ record }) => record)).toEqual(there.records.map(({ record }) => record))
  })

  test('what a release asks for counts, not what its era begins with', () => {
    expect(diffEras('systemd-stub/S6/254.24', '255.20').came.map(({ commits }) => commits[0])).toEqual([
      '90dab2b01e',
      '68f85761e2',
      '0f781d2aa5',
    ])
  })

  test('kernels by version and by id', () => {
    expect(diffEras('5.7-rc1', 'linux/E5')).toMatchObject({
      from: { id: 'linux/E1' },
      to: { id: 'linux/E5' },
    })
    expect(diffEras('5.7-rc1', 'linux/E5').records.length).toBeGreaterThan(3)
  })

  test('in words, with clauses and commits', () => {
    const text = diffText(diffEras('254.26', '258'), titles)
    expect(text).toMatch(/^ {2}came {6}258: a loader of its own/m)
    expect(text).toMatch(/^ {2}went {6}257: copies a kernel that is larger in memory than \.linux/m)
    expect(text).toContain('  entryMethod\n    data      way: own loader, was LoadImage\n')
    expect(text).toContain('    no longer ST-27 The kernel chooses\n')
    expect(text).toContain('    now       ST-59 The kernel chooses later\n')
    expect(text).toMatch(/^ {4}commits {3}cab9c7b5a4/m)
    expect(text).toMatch(/^same {6}messages, pool, variables/m)
  })
})

describe('the command', () => {
  test('prints what lies between two, as text or data', async () => {
    const { code, stdout, stderr } = await stubsim(['eras', '--diff', '242', '247.3'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('ST-15 LoadOptions replace .cmdline')
    expect(
      JSON.parse((await stubsim(['eras', '--diff', '242', '247.3', '--format', 'json'])).stdout),
    ).toMatchObject({
      schema: 2,
      came: [{ commits: ['53a2045521'], in: ['244'] }],
      records: [{ record: 'commandLine', fields: [{ field: 'underSecureBoot', from: 'never' }] }],
    })
  })

  test('prints a history: what changed, when, in which back-ports, by which commit', async () => {
    const { code, stdout } = await stubsim(['eras', 'systemd-stub'])
    expect(code).toBe(0)
    expect(stdout).toContain(
      [
        '  258     any number of sections',
        '          commit    8c5b359579',
        '          also in   252.36, 253.31, 254.24, 255.18, 256.12, 257.3',
        '          data      sectionTable.maxSections: none, was 96',
      ].join('\n'),
    )
    expect(stdout).toMatch(/^ {2}systemd-stub\/S2\/248 +248 to 248\.9, 249 to 249\.5$/m)
    expect(stdout).not.toContain('linux/E2')
    expect(JSON.parse((await stubsim(['eras', 'lanzaboote', '--format', 'json'])).stdout)).toMatchObject({
      schema: 2,
      products: [
        { title: 'lanzaboote', changes: [{ commits: ['9c128e9ef6'] }, {}, {}, {}, {}, {}, {}, {}, {}, {}] },
        { title: 'lanzaboote/fat', eras: [{ id: 'lanzaboote/0.4/fat' }, { id: 'lanzaboote/0.4.2/fat' }] },
      ],
    })
  })

  test('prints what a release does, record by record, with its clauses', async () => {
    const { stdout } = await stubsim(['eras', '257.13'])
    expect(stdout).toMatch(/^systemd-stub\/S6\/257\.11 /)
    expect(stdout).toContain('  seen              257.11 (read), 257.13 (booted)\n')
    expect(stdout).toContain('  placeKernel       above4G copied; zeroTail yes (ST-34)\n')
    expect(JSON.parse((await stubsim(['eras', '257.13', '--format', 'json'])).stdout)).toMatchObject({
      schema: 2,
      eras: [{ behaviour: { placeKernel: { zeroTail: true } }, clauses: { placeKernel: ['ST-34'] } }],
    })
  })

  test.each([
    [['eras', '99'], /eras: "99" is not a product, era or release of the tables/],
    [['eras', '--diff', '247.3'], /--diff needs two versions or eras/],
    [['eras', '--diff', '247.3', '99'], /no era of stub or kernel for 99; stubsim eras lists them/],
    [['eras', '--diff', 'systemd-stub/S2', 'linux/E1'], /are of different products/],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await stubsim(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(message)
  })
})
