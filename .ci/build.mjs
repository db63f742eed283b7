// Builds dist/ from src/: declarations with the TypeScript compiler, code as a few bundles, the data files, and
// NOTICE. docs/decisions/0019 says why it is so.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { keepReached } from './declarations.mjs'
import { lineMap } from './line-map.mjs'
import { noticeOf } from './notice.mjs'

const top = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(top, 'dist')
rmSync(dist, { recursive: true, force: true })

const tsc = spawnSync(
  process.execPath,
  [join(top, 'node_modules/typescript7/bin/tsc'), '-p', join(top, 'tsconfig.build.json')],
  { stdio: 'inherit' },
)
if (tsc.status !== 0) process.exit(tsc.status ?? 1)

/** The library's entries, by their place in src and in dist. */
const DOORS = ['index', 'report/index', 'vitest/index']
keepReached(dist, DOORS)

/** Shared bundles by the most that they hold. */
const NAMES = { 'src/check.ts': 'model', 'src/report/text.ts': 'report', 'src/bytes/range.ts': 'base' }

function nameOf({ name, moduleIds }) {
  const held = new Set(moduleIds.map(id => relative(top, id).replaceAll('\\', '/')))
  return Object.entries(NAMES).find(([path]) => held.has(path))?.[1] ?? name
}

const isForeign = path => /[\\/]node_modules[\\/]/.test(path)
const isOurs = path => path.endsWith('.ts') && !isForeign(path)
const foreign = new Set()

/**
 * What the two kinds of bundles are like. The library stays as it stands in src, without its comments. The program
 * has short names inside functions; functions keep theirs and lines theirs, for whoever reads a stack trace.
 */
const KINDS = {
  es: { shared: 'shared/', minify: 'dce-only' },
  cjs: {
    shared: '',
    minify: { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: true } },
  },
}

/** Bundles what `input` names into `folder` of dist. */
async function bundle(input, folder, format) {
  const { shared, minify } = KINDS[format]
  const build = await rolldown({
    cwd: top,
    input,
    platform: 'node',
    external: ['vitest'],
    transform: { target: 'node20.19' },
    onLog: (level, log) => {
      throw new Error(`${level}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    dir: join(dist, folder),
    format,
    entryFileNames: '[name].js',
    chunkFileNames: chunk => `${shared}${nameOf(chunk)}.js`,
    comments: false,
    minify,
    minifyInternalExports: false,
    strict: true,
    topLevelVar: true,
    sourcemap: 'hidden',
  })
  await build.close()
  for (const { fileName, code, map, moduleIds } of output.filter(({ type }) => type === 'chunk')) {
    const path = join(dist, folder, fileName)
    mkdirSync(dirname(path), { recursive: true })
    for (const id of moduleIds.filter(isForeign)) foreign.add(id)
    const lines =
      map === null ? null : lineMap(map, path => (isOurs(path) ? path.replaceAll('\\', '/') : null))
    if (lines === null || lines.sources.length === 0) writeFileSync(path, code)
    else {
      writeFileSync(path, `${code.trimEnd()}\n//# sourceMappingURL=${basename(path)}.map\n`)
      writeFileSync(`${path}.map`, `${JSON.stringify(lines)}\n`)
    }
  }
}

// The library: three doors, which share what they have in common.
await bundle(Object.fromEntries(DOORS.map(door => [door, `src/${door}.ts`])), '', 'es')
// The program: CommonJS, because an ES module costs Node a quarter of its own start before its first line runs.
await bundle({ main: 'src/cli/main.ts' }, 'cli', 'cjs')
writeFileSync(join(dist, 'cli/package.json'), '{ "type": "commonjs" }\n')
// npm makes a linked program executable once; a new build must not take that away.
chmodSync(join(dist, 'cli/main.js'), 0o755)

for (const entry of readdirSync(join(top, 'src'), { recursive: true, withFileTypes: true }))
  if (entry.isFile() && entry.name.endsWith('.schema.json'))
    cpSync(join(entry.parentPath, entry.name), join(dist, entry.name))
writeFileSync(join(dist, 'NOTICE'), noticeOf(foreign))
await import('./spec-index.mjs')
