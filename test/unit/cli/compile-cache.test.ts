import { expect, test } from 'vitest'
import { cachePlace } from '../../../src/cli/compile-cache.ts'

test('the cache lies where the platform has those of a user', () => {
  const home = { HOME: '/mine' }
  expect(cachePlace(home, 'linux')).toEqual({ base: '/mine', folder: '/mine/.cache/stubsim' })
  expect(cachePlace({ ...home, XDG_CACHE_HOME: '/fast' }, 'linux')).toEqual({
    base: '/fast',
    folder: '/fast/stubsim',
  })
  expect(cachePlace(home, 'darwin')?.folder).toBe('/mine/Library/Caches/stubsim')
  expect(cachePlace({ ...home, LOCALAPPDATA: '/local' }, 'win32')?.folder).toBe('/local/stubsim')
})

test('and nowhere when nobody says whose it would be', () => {
  expect(cachePlace({}, 'linux')).toBeNull()
  expect(cachePlace({ HOME: '', XDG_CACHE_HOME: '' }, 'linux')).toBeNull()
  expect(cachePlace({ HOME: '/mine' }, 'win32')).toBeNull()
})
