// Works out once, for all starts, what is the same in each: the eras of all products, which needs every
// release folded and compared, and tables that are nothing but data, which are parsed faster than evaluated.
import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Modules whose exports are data alone. */
const DATA = [
  'src/stub/history.ts',
  'src/stub/lanzaboote/history.ts',
  'src/kernel/x86/history.ts',
  'src/firmware/edk2/releases.ts',
  'src/firmware/profile-table.ts',
]

/** What a module exports that has this text. */
async function exportsOf(text) {
  const build = await rolldown({
    input: 'worked-out',
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === 'worked-out' ? id : null),
        load: id => (id === 'worked-out' ? text : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'es' })
  await build.close()
  const code = Buffer.from(output[0].code).toString('base64')
  return import(`data:text/javascript;base64,${code}`)
}

/** Rows by name of their history (src/releases/history.ts), each as a text. */
async function rowsByName(from) {
  const { rows } = await exportsOf(`import { linux } from ${from('src/kernel/x86/history.ts')}
import { stubHistory } from ${from('src/stub/history.ts')}
import { fatHistory, thinHistory } from ${from('src/stub/lanzaboote/history.ts')}
import { eraRows, historyName } from ${from('src/releases/history.ts')}
const histories = [linux, stubHistory, thinHistory, fatHistory]
export const rows = histories.map(history => [historyName(history), JSON.stringify(eraRows(history))])`)
  return Object.fromEntries(rows)
}

/** A module with the same exports as the one at this path. */
async function asData(from, path) {
  const lines = Object.entries(await exportsOf(`export * from ${from(path)}`)).map(([name, value]) => {
    const text = JSON.stringify(value)
    if (!isDeepStrictEqual(JSON.parse(text), value)) throw new Error(`${path}: ${name} is more than data`)
    return `export const ${name} = /* @__PURE__ */ JSON.parse(${JSON.stringify(text)})`
  })
  return lines.join('\n')
}

/** The plugin that puts all this into the bundles. */
export async function workedOut(top) {
  const from = path => JSON.stringify(join(top, path))
  const rows = await rowsByName(from)
  const modules = new Map([
    [
      join(top, 'src/releases/worked-out.ts'),
      `const TABLES = ${JSON.stringify(rows)}
export function workedOut(history) {
  const table = TABLES[history]
  return table === undefined ? undefined : JSON.parse(table)
}`,
    ],
  ])
  for (const path of DATA) modules.set(join(top, path), await asData(from, path))
  return {
    name: 'worked-out',
    load: {
      filter: { id: /\.ts$/ },
      handler: id => {
        const code = modules.get(id)
        return code === undefined ? null : { code, moduleType: 'js' }
      },
    },
  }
}
