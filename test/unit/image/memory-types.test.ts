import { expect, it } from 'vitest'
import { memoryTypeName, MEMORY_TYPE_NAMES } from '../../../src/image/memory-types.ts'
import * as types from '../../../src/image/memory-types.ts'

it('names every type by the specification, and others by their number', () => {
  MEMORY_TYPE_NAMES.forEach((name, type) => {
    expect(memoryTypeName(type)).toBe(name)
    expect((types as Readonly<Record<string, unknown>>)[name]).toBe(type)
  })
  expect(memoryTypeName(0x70000001)).toBe('type 0x70000001')
})
