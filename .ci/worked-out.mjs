// Works out the eras of both products, which needs every release folded and compared, once for all starts.
import { join } from 'node:path'
import { rolldown } from 'rolldown'

/** Rows by product (src/releases/history.ts, eraRows). */
async function rowsByProduct(top) {
  const from = path => JSON.stringify(join(top, 'src', path))
  const entry = `import { linux } from ${from('kernel/history.ts')}
import { stubHistory } from ${from('stub/history.ts')}
import { eraRows } from ${from('releases/history.ts')}
export default Object.fromEntries([linux, stubHistory].map(history => [history.product, eraRows(history)]))`
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

/** The plugin that puts them into the bundles. */
export async function workedOut(top) {
  const rows = JSON.stringify(await rowsByProduct(top))
  return {
    name: 'worked-out',
    load: {
      filter: { id: /[\\/]src[\\/]releases[\\/]worked-out\.ts$/ },
      handler: () => ({
        code: `export const WORKED_OUT = JSON.parse(${JSON.stringify(rows)})`,
        moduleType: 'js',
      }),
    },
  }
}
