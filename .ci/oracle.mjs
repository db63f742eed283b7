// npm run oracle [-- score [--markdown | --write]]: replays the recorded boots and prints how the predictions
// compare; --write puts the table into README.md.
// Runs the TypeScript sources through vitest's own loader.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createViteServer } from 'vitest/node'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const [command = 'score', ...options] = process.argv.slice(2)
if (
  command !== 'score' ||
  options.length > 1 ||
  options.some(option => !['--markdown', '--write'].includes(option))
) {
  console.error('usage: npm run oracle [-- score [--markdown | --write]]')
  process.exit(2)
}
const server = await createViteServer({
  root: top,
  configFile: false,
  logLevel: 'error',
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  optimizeDeps: { noDiscovery: true },
})
try {
  const { scoreAll, scoreMarkdown, scoreText } = await server.ssrLoadModule('/test/oracle/score.ts')
  const score = scoreAll()
  if (options.includes('--write')) {
    const readme = join(top, 'README.md')
    const [before, after, ...rest] = readFileSync(readme, 'utf8').split(
      /(?<=<!-- oracle-score -->\n)[^]*(?=<!-- \/oracle-score -->)/,
    )
    if (after === undefined || rest.length > 0)
      throw new Error('README.md has no <!-- oracle-score --> and <!-- /oracle-score --> lines')
    writeFileSync(readme, `${before}${scoreMarkdown(score)}${after}`)
  } else process.stdout.write(options.includes('--markdown') ? scoreMarkdown(score) : scoreText(score))
} finally {
  await server.close()
}
