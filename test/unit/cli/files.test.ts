import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import { fileOffset } from '../../../src/bytes/units.ts'
import { openFiles, packageFolder, packageText } from '../../../src/cli/files.ts'

const folder = mkdtempSync(join(tmpdir(), 'stubsim-'))
const path = (name: string): string => join(folder, name)
const files = openFiles()
afterEach(() => {
  files.close()
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const counted = Uint8Array.from({ length: 10_000 }, (_, i) => i % 251)

describe('a source over a file', () => {
  test('reads any part, and less at the end', () => {
    writeFileSync(path('a'), counted)
    const source = files.source(path('a'))
    expect(source.size).toBe(10_000)
    for (const [at, length] of [
      [0, 10],
      [4090, 12],
      [9_990, 100],
      [10_000, 5],
      [20_000, 5],
      [0, 10_000],
      [8192, 0],
    ] as const) {
      expect([...source.read(fileOffset(at), length)], `${String(at)}+${String(length)}`).toEqual([
        ...counted.subarray(at, at + length),
      ])
    }
  })

  test('counts what it reads, keeps the last block, and reads no more than whole blocks', () => {
    writeFileSync(path('big'), '')
    truncateSync(path('big'), 2 ** 31)
    const source = files.source(path('big'))
    for (let i = 0; i < 100; i++) source.read(fileOffset(0x3c + i), 4)
    source.read(fileOffset(2 ** 31 - 4), 4)
    expect(files.total()).toEqual({ read: 8192, of: 2 ** 31 })
  })

  test('large reads go past the cache', () => {
    writeFileSync(path('large'), new Uint8Array(300_000).fill(7))
    const source = files.source(path('large'))
    const large = source.read(fileOffset(100), 200_000)
    expect([large.length, large.every(byte => byte === 7)]).toEqual([200_000, true])
    expect(source.read(fileOffset(299_999), 10)).toEqual(new Uint8Array([7]))
  })

  test('notices a file that shrinks', () => {
    writeFileSync(path('shrinks'), counted)
    const source = files.source(path('shrinks'))
    truncateSync(path('shrinks'), 5000)
    expect(() => source.read(fileOffset(8192), 10)).toThrow(
      new UsageError(
        `${path('shrinks')}: ends at 0x2000 now, but had 0x2710 bytes when it was ` +
          'opened: it changed while it was read',
      ),
    )
  })
})

describe('what cannot be opened', () => {
  test.each<[string, (name: string) => string, string]>([
    ['missing', path, 'no such file'],
    [
      'below a file',
      name => {
        writeFileSync(path('file'), 'x')
        return join(path('file'), name)
      },
      'no such file: part of the path is not a directory',
    ],
    ['directory', () => folder, 'is a directory'],
    [
      'loop',
      name => {
        symlinkSync(path(name), path(name))
        return path(name)
      },
      'too many symbolic links',
    ],
    ['device', () => '/dev/null', 'is not a regular file or block device'],
    [
      'pipe',
      name => {
        spawnSync('mkfifo', [path(name)])
        return path(name)
      },
      'is a pipe; an image needs random access, so use a regular file or block device',
    ],
  ])('%s', (name, make, why) => {
    const made = make(name)
    expect(() => files.source(made)).toThrow(new UsageError(`${made}: ${why}`))
  })

  test('a name with a zero byte', () => {
    expect(() => files.source('a\0b')).toThrow(UsageError)
  })

  test('a result that cannot be written', () => {
    expect(() => {
      files.write(folder, 'x')
    }).toThrow(new UsageError(`${folder}: is a directory`))
    expect(() => {
      files.write(path('no/where'), 'x')
    }).toThrow(new UsageError(`${path('no/where')}: the folder ${path('no')} does not exist`))
  })
})

describe('small texts', () => {
  test('are read to their end', () => {
    writeFileSync(path('utf8'), 'Größe\n')
    expect(files.text(path('utf8'))).toBe('Größe\n')
    expect(files.total()).toEqual({ read: 8, of: 8 })
    expect(files.bytes('/proc/self/status').length).toBeGreaterThan(100)
  })

  test.each<[string, Uint8Array | string, string]>([
    ['empty', '', 'the file is empty'],
    ['binary', Uint8Array.of(65, 0, 66), 'at 0x1: a zero byte, so this is not a text file'],
  ])('refuses %s', (name, content, why) => {
    writeFileSync(path(name), content)
    expect(() => files.text(path(name))).toThrow(new UsageError(`${path(name)}: ${why}`))
  })

  test('refuses a text that is far too long', () => {
    writeFileSync(path('long'), '')
    truncateSync(path('long'), 2 ** 30)
    expect(() => files.text(path('long'))).toThrow(/more than 16777216 bytes are too many/)
  })
})

test('pages of this package', () => {
  expect(packageText('spec/sources.md')).toMatch(/^# /)
  expect(packageText('spec/none.md')).toBeNull()
  expect(packageFolder('spec')).toContain('sources.md')
  expect(packageFolder('none')).toEqual([])
})
