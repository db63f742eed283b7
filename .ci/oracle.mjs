// npm run oracle -- score [--markdown]: replays the recorded boots and prints how the predictions compare. Runs the TypeScript sources through vitest's own loader.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const [command, ...options] = process.argv.slice(2)
if (command !== 'score' || options.some(option => option !== '--markdown')) {
  console.error('usage: npm run oracle -- score [--markdown]')
  process.exit(2)
}
const server = await createViteServer({ root: top, configFile: false, logLevel: 'error', appType: 'custom', server: { middlewareMode: true, hmr: false, ws: false, watch: null }, optimizeDeps: { noDiscovery: true } })
try {
  const { scoreAll, scoreMarkdown, scoreText } = await server.ssrLoadModule('/test/oracle/score.ts')
  const score = scoreAll()
  process.stdout.write(options.includes('--markdown') ? scoreMarkdown(score) : scoreText(score))
} finally {
  await server.close()
}
