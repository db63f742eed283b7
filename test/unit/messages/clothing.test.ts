/** Every known line is found again, whatever stands around it and whatever was done to its letters. */
import { describe, expect, test } from 'vitest'
import { knownLines } from '../../../src/cli/printed.ts'
import { plainLetters, textOf } from '../../../src/image/paste/letters.ts'
import { findLines } from '../../../src/messages/find.ts'
import { share } from '../../support/depth.ts'

const lines = knownLines()
const printed = (text: string): string =>
  text
    .replaceAll('{number}', '0x1234')
    .replaceAll('{rest}', '')
    .replaceAll(/\{([a-z]+)\}/g, 'Already started')
    .trim()
const each =
  (change: (line: string) => string) =>
  (text: string): string =>
    text.split('\n').map(change).join('\n')
const cut = (text: string): string => text.slice(0, Math.max(24, Math.floor(text.length * 0.8)))

const WHOLE: Readonly<Record<string, (text: string) => string>> = {
  'as printed': text => text,
  'a stamp': each(line => `[    0.000000] ${line}`),
  'a journal': each(line => `Nov 30 09:47:45 host kernel: ${line}`),
  'the stub of the kernel': each(line => `EFI stub: ERROR: ${line}`),
  'a place in a source': each(line => `../src/boot/efi/stub.c:123@run: ${line}`),
  'a quote': each(line => `> ${line}`),
  'typographic quotes': text => `\u201c${text.replaceAll("'", '\u2019')}\u201d`,
  'German quotes': text => `\u201e${text}\u201c`,
  'a code span': text => `\`${text}\``,
  capitals: text => text.toUpperCase(),
  colours: text => `\x1b[31m${text}\x1b[0m`,
  HTML: text => `<p>${text.replaceAll("'", '&#39;').replaceAll('<', '&lt;')}</p>`,
  'blanks that do not break': text => text.replaceAll(' ', '\u00a0'),
  'blanks of no width': text => text.replaceAll(' ', ' \u200b'),
  'two blanks': text => text.replaceAll(' ', '  '),
  'two lines': text => text.replace(/^(.{15,}?) /, '$1\n'),
  'among other words': text => `I get this on every boot:\n\n${text}\n\nand then it hangs.`,
}

/** The line itself, a longer one that holds it, or a shorter one that is all of what was left. */
const isFound = (text: string, pasted: string): boolean =>
  findLines(plainLetters(textOf(pasted)).text, lines).some(
    ({ line }) => line.text.includes(text) || text.includes(line.text),
  )

describe('every line is found', () => {
  test.each(Object.entries(WHOLE).map((one, i) => [...one, i] as const))('%s', (_, wear, i) => {
    expect(share(lines, 4, i).filter(({ text }) => !isFound(text, wear(printed(text))))).toEqual([])
  })

  test.each<[string, (text: string) => string, number]>([
    ['without its full stop', text => text.replace(/[.!]$/gm, ''), 0],
    ['without its end', cut, 1],
    ['with dots for its end', text => `${cut(text)}...`, 2],
  ])('%s, if it has words enough', (_, wear, i) => {
    const long = share(lines, 3, i).filter(({ text }) => text.length > 36 && !text.includes('{'))
    expect(long.filter(({ text }) => !isFound(text, wear(printed(text)))).map(({ text }) => text)).toEqual([])
  })
})

describe('one letter is wrong, anywhere', () => {
  const wrong: Readonly<Record<string, (text: string, at: number) => string>> = {
    another: (text, at) => `${text.slice(0, at)}${text[at] === 'q' ? 'z' : 'q'}${text.slice(at + 1)}`,
    'too few': (text, at) => text.slice(0, at) + text.slice(at + 1),
    'too many': (text, at) => `${text.slice(0, at)}q${text.slice(at)}`,
  }
  test.each(Object.entries(wrong))('%s', (_, spoil) => {
    // beside what changes some lines hold no more than a word
    const telling = lines.filter(({ text }) => text.replaceAll(/\{[a-z]+\}/g, '').trim().length >= 12)
    const silent = telling.flatMap(({ text }) => {
      const pasted = printed(text)
      // the last word, the first, and one in the middle: each letter of each line takes minutes
      return (
        [0, 1, Math.floor(pasted.length / 2), pasted.length - 2, pasted.length - 1]
          .map(at => spoil(pasted, at))
          // what another line has word for word is that line
          .filter(one => !isFound(text, one) && findLines(one, lines)[0]?.how !== 'exact')
      )
    })
    expect(silent).toEqual([])
  })
})

test.each([
  ['a blank after each letter', (text: string) => Array.from(text).join(' ')],
  ['zeros written out', (text: string) => Array.from(text).join('^@')],
  ['zeros as strings have them', (text: string) => Array.from(text, letter => `${letter}\\x00`).join('')],
  ['blanks as numbers', (text: string) => text.replaceAll(' ', '\\x20')],
])('two bytes to a letter, shown as single ones: %s', (_, wear) => {
  const long = lines.filter(({ text }) => text.length > 12 && !text.includes('\n'))
  expect(long.filter(({ text }) => !isFound(text, wear(printed(text)))).map(({ text }) => text)).toEqual([])
})

test.each([
  'hello world, this is nothing',
  'Segmentation fault (core dumped)',
  'Failed to start Light Display Manager.',
  'Kernel panic - not syncing: Attempted to kill init!',
])('what nobody here prints is not explained: %s', pasted => {
  expect(findLines(pasted, lines)).toEqual([])
})
