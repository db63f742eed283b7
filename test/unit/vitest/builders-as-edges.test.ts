import { expect, test } from 'vitest'
import { UsageError } from '../../../src/bytes/errors.ts'
import type { LayoutId } from '../../../src/image/layouts/table.ts'
import { parsePe } from '../../../src/image/pe.ts'
import { STUB_FACTS } from '../../../src/image/stub-facts.ts'
import { kernel } from '../../../src/vitest/builders.ts'
import { builtAs } from '../../../src/vitest/builders-as.ts'

const INPUT = {
  stub: STUB_FACTS['257.13'],
  kernel: kernel('6.12.107-cloud'),
  contents: { '.osrel': { text: 'ID=test\n' } },
}

test('a tool that is not in the table builds nothing', () => {
  expect(() => builtAs('lilo' as LayoutId, INPUT)).toThrow(new UsageError('unknown builder "lilo"'))
})

test('what is not given is not added', () => {
  const names = (id: LayoutId): string[] =>
    parsePe(builtAs(id, INPUT))
      .pe?.sections.slice(STUB_FACTS['257.13'].sections.length)
      .map(({ name }) => name) ?? []
  expect(names('ukify-254')).toEqual(['.osrel', '.linux'])
  expect(names('mkinitcpio-36')).toEqual(['.osrel', '.linux'])
})

test('without sections in the stub everything begins at 0', () => {
  const { pe } = parsePe(
    builtAs('mkinitcpio-35', { ...INPUT, stub: { ...STUB_FACTS['257.13'], sections: [] } }),
  )
  expect(pe?.sections.map(({ name, VirtualAddress }) => [name, VirtualAddress])).toEqual([
    ['.osrel', 0],
    ['.linux', 8],
  ])
})
