import { expect, test } from 'vitest'
import { chapters } from '../../src/cli/law-pages.ts'
import { knownLines } from '../../src/cli/printed.ts'
import { TEXTS } from '../../src/messages/texts.ts'
import { sources, textOf } from '../support/repository.ts'

const LAYERS = ['src/stub/', 'src/kernel/', 'src/boot-loader/', 'src/firmware/']

test('every text of the table is printed by a step', () => {
  const code = sources()
    .filter(path => LAYERS.some(layer => path.startsWith(layer)))
    .map(textOf)
    .join('')
  expect(Object.keys(TEXTS).filter(id => !code.includes(`'${id}'`))).toEqual([])
})

test('the clause of a printed line exists, and its explanation is made of sentences', () => {
  const clauses = new Set(chapters().flatMap(chapter => chapter.clauses.map(({ id }) => id)))
  const wrong = knownLines().filter(
    ({ clause, why, fix }) =>
      (clause !== null && !clauses.has(clause)) || ![why, fix].every(text => /^[A-Z`"].*\.$/s.test(text)),
  )
  expect(wrong).toEqual([])
})

/** Whoever refuses names what is printed by its id: a literal there would not be found by explain. */
test('no step of stub, kernel or boot loader refuses with words of its own', () => {
  const own = sources()
    .filter(path => LAYERS.slice(0, 3).some(layer => path.startsWith(layer)))
    .flatMap(path =>
      [
        ...textOf(path).matchAll(
          /machine\.refuse\(\s*[^;]*?,\s*'EFI_[A-Z_]+',\s*(?:`[^`]*`|'[^']*'|\w+),\s*(['"`])/g,
        ),
      ].map(([call]) => `${path}: ${call.slice(0, 80)}`),
    )
  expect(own).toEqual([])
})
