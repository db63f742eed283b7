/** The schemas of the settings in a scenario file, made from the table (src/machine/settings.ts). */
import * as v from 'valibot'
import {
  choicePattern,
  settings,
  type Setting,
  type SettingName,
  type StoredSettings,
} from '../machine/settings.ts'
import { quantity } from './quantity-schema.ts'

/** A non-empty text. */
export const text = v.pipe(v.string('must be a text'), v.minLength(1, 'is empty'))

function choiceSchema(choices: readonly string[]): v.GenericSchema {
  const [pattern, wrong] = [choicePattern(choices), `is not one of ${choices.join(', ')}`]
  return pattern === null ? v.picklist(choices, wrong) : v.pipe(v.string(), v.regex(pattern, wrong))
}

function schemaOf(setting: Setting): v.GenericSchema {
  switch (setting.kind) {
    case 'flag':
      return v.boolean('is neither true nor false')
    case 'text':
      return v.string('must be a text')
    case 'name':
      return text
    case 'choice':
      return choiceSchema(setting.choices)
    case 'address':
      return quantity
    case 'sizes':
      return v.array(quantity)
    case 'words':
    case 'files':
      return v.array(text)
    case 'volume':
      return v.record(text, text)
  }
}

type Schemas = {
  readonly [K in SettingName]: v.OptionalSchema<
    v.GenericSchema<unknown, NonNullable<StoredSettings[K]>>,
    undefined
  >
}

/** One optional entry for every setting, in the table's order. */
export const settingSchemas = Object.fromEntries(
  settings.map(([name, setting]) => [name, v.optional(schemaOf(setting))]),
) as Schemas
