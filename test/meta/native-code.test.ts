import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { TOP } from '../support/repository.ts'

/**
 * The process that looks: it notes every native library that is opened, imports, works, and says which
 * CommonJS modules it then has.
 */
const LOOK = `
import { createRequire } from 'node:module'
const opened = []
const dlopen = process.dlopen
process.dlopen = (...args) => { opened.push(String(args[1])); return dlopen.apply(process, args) }
for (const url of JSON.parse(process.argv[1])) await import(url)
const { toInteger, fromInteger } = await import(JSON.parse(process.argv[1])[0])
const sum = toInteger?.(fromInteger(513n, 8))
process.stdout.write(JSON.stringify({ opened, sum: String(sum), loaded: Object.keys(createRequire(process.cwd() + '/look.js').cache) }))
`

interface Seen {
  readonly opened: string[]
  readonly sum: string
  readonly loaded: string[]
}

function look(urls: readonly string[], code = LOOK): { status: number | null; stderr: string; seen: Seen } {
  const done = spawnSync(process.execPath, ['--input-type=module', '-e', code, JSON.stringify(urls)], {
    cwd: TOP,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '' },
  })
  return {
    status: done.status,
    stderr: done.stderr,
    seen: JSON.parse(done.stdout === '' ? '{}' : done.stdout) as Seen,
  }
}

const int = pathToFileURL(join(TOP, 'dist/bytes/int.js')).href
const entries = ['dist/index.js', 'dist/report/index.js'].map(path => join(TOP, path)).filter(existsSync)

test('importing the package opens no native library and says nothing', () => {
  const { status, stderr, seen } = look([int, ...entries.map(path => pathToFileURL(path).href)])
  expect({ status, stderr, opened: seen.opened, sum: seen.sum }).toEqual({
    status: 0,
    stderr: '',
    opened: [],
    sum: '513',
  })
  expect(
    seen.loaded
      .filter(path => /[\\/]bigint-buffer[\\/]/.test(path))
      .map(path => path.split(/[\\/]/).slice(-3).join('/')),
  ).toEqual(['bigint-buffer/dist/browser.js'])
  expect(seen.loaded.filter(path => /[\\/](bindings|file-uri-to-path)[\\/]|\.node$/.test(path))).toEqual([])
})

test('the same look does see the native path when the bare package is imported', () => {
  const { seen } = look(['bigint-buffer'])
  expect(seen.loaded.some(path => /[\\/]bigint-buffer[\\/]dist[\\/]node\.js$/.test(path))).toBe(true)
  expect(seen.loaded.some(path => /[\\/]bindings[\\/]/.test(path))).toBe(true)
})
