// Works out the eras of all products, which needs every release folded and compared, once for all starts.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Rows by name of their history (src/releases/history.ts). */
async function rowsByName(top) {
  const from = path => JSON.stringify(join(top, 'src', path))
  const entry = `import { linux } from ${from('kernel/x86/history.ts')}
import { stubHistory } from ${from('stub/history.ts')}
import { fatHistory, thinHistory } from ${from('stub/lanzaboote/history.ts')}
import { eraRows, historyName } from ${from('releases/history.ts')}
const histories = [linux, stubHistory, thinHistory, fatHistory]
export default Object.fromEntries(histories.map(history => [historyName(history), eraRows(history)]))`
  const build = await rolldown({
    input: 'worked-out',
    plugins: [
      {
        name: 'entry',
        resolveId: id => (id === 'worked-out' ? id : null),
        load: id => (id === 'worked-out' ? entry : null),
      },
    ],
  })
  const { output } = await build.generate({ format: 'es' })
  await build.close()
  const code = Buffer.from(output[0].code).toString('base64')
  return (await import(`data:text/javascript;base64,${code}`)).default
}

/** The plugin that puts them into the bundles, each as a text that is parsed when it is asked for. */
export async function workedOut(top) {
  const texts = Object.entries(await rowsByName(top)).map(([name, rows]) => [name, JSON.stringify(rows)])
  return {
    name: 'worked-out',
    load: {
      filter: { id: /[\\/]src[\\/]releases[\\/]worked-out\.ts$/ },
      handler: () => ({
        code: `const TABLES = ${JSON.stringify(Object.fromEntries(texts))}
export function workedOut(history) {
  const table = TABLES[history]
  return table === undefined ? undefined : JSON.parse(table)
}`,
        moduleType: 'js',
      }),
    },
  }
}
