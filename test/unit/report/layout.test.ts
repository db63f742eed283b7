import { expect, test } from 'vitest'
import { columns, count, labelled, printable, wrap } from '../../../src/report/layout.ts'

test('prose breaks at spaces; a long word stands alone', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
  expect(wrap('a incomprehensibilities b', 6)).toEqual(['a', 'incomprehensibilities', 'b'])
  expect(wrap('', 6)).toEqual([''])
})

test('a label stands once, the prose in its column', () => {
  expect(labelled('why', 'aaaa bbbb cccc dddd eeee ffff', { indent: 2, column: 6, width: 30 })).toEqual([
    '  why   aaaa bbbb cccc dddd',
    '        eeee ffff',
  ])
})

test('columns are as wide as their widest cell, left or right, with no blank at the end', () => {
  expect(
    columns(
      [
        ['a', '1', 'x'],
        ['bbb', '22', ''],
      ],
      [1],
    ),
  ).toEqual(['a     1  x', 'bbb  22'])
  expect(columns([])).toEqual([])
})

test('one is one, two are many', () => {
  expect([count(1, 'breach', 'breaches'), count(2, 'breach', 'breaches')]).toEqual(['1 breach', '2 breaches'])
})

test('nothing that a file holds can steer the terminal or break a line', () => {
  expect(printable('a\u001b[31mb\nc\u202ed\u0085')).toBe('a\\x1b[31mb\\x0ac\\u202ed\\x85')
  expect(columns([['x\ny', 'z']])).toEqual(['x\\x0ay  z'])
  expect(labelled('', 'x\ny', { indent: 0, column: 0, width: 80 })).toEqual(['x\\x0ay'])
})
