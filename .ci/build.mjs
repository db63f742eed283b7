// Builds dist/ from src/: declarations with the TypeScript compiler, code as a few bundles, the data files,
// and NOTICE. docs/decisions/0020 says why it is so.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { minifySync } from 'rolldown/utils'
import ts from 'typescript'
import { keepReached } from './declarations.mjs'
import { lineMap } from './line-map.mjs'
import { noticeOf } from './notice.mjs'
import { programBundles } from './program-bundles.mjs'
import { workedOut } from './worked-out.mjs'

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
const NAMES = { 'src/check-with.ts': 'model', 'src/report/text.ts': 'report', 'src/bytes/range.ts': 'base' }

function sharedName({ name, moduleIds }) {
  const held = new Set(moduleIds.map(id => relative(top, id).replaceAll('\\', '/')))
  return Object.entries(NAMES).find(([path]) => held.has(path))?.[1] ?? name
}

/**
 * Without indentation and names of files, which maps have; lines stay, and so does every string of more than
 * one.
 */
function unindented(code) {
  const file = ts.createSourceFile('bundle.js', code, ts.ScriptTarget.ES2023)
  const inside = new Set()
  const visit = node => {
    if (ts.isTemplateLiteralToken(node)) {
      const [first, last] = [node.getStart(file), node.end].map(
        at => file.getLineAndCharacterOfPosition(at).line,
      )
      for (let line = first + 1; line <= last; line++) inside.add(line)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return code
    .split('\n')
    .map((line, i) => (inside.has(i) ? line : line.replace(/^\t+/, '').replace(/^\/\/ (src\/|\0)\S*$/, '')))
    .join('\n')
}

/** Without characters beyond ASCII, a script is held with one byte a character. */
const ascii = code =>
  code.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

const isForeign = path => /[\\/]node_modules[\\/]/.test(path)
const isOurs = path => path.endsWith('.ts') && !isForeign(path)
const packageOf = id => /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(id)?.[1] ?? ''
const foreign = new Set()
const tables = await workedOut(top)

/** Names inside functions are short; functions and lines keep theirs, for whoever reads a stack trace. */
const MINIFY = { compress: true, mangle: { toplevel: false }, codegen: { removeWhitespace: false } }

/** Packages that are loaded when they are used have a file each; what pino needs is with it. */
const PACKAGES = ['yaml', 'valibot', ''].map((name, i, names) => ({
  name: name || 'pino',
  test: id => isForeign(id) && packageOf(id).startsWith(name),
  priority: names.length - i,
}))

/**
 * Modules that a check does not call when the image is a UKI, its kernel one of today and nothing is damaged:
 * a bundle of their own, which costs nothing until then.
 */
const SELDOM = [
  'src/stub/steps/linux-exec.ts',
  'src/stub/lanzaboote/',
  'src/kernel/x86/steps/relocate.ts',
  'src/kernel/x86/steps/head64.ts',
  'src/kernel/x86/steps/kaslr.ts',
  'src/kernel/x86/steps/low-alloc.ts',
  'src/boot-loader/',
  'src/firmware/bin-edges.ts',
  'src/firmware/faults.ts',
  'src/firmware/paged-pool.ts',
  'src/firmware/patina/',
  'src/firmware/rust-hypervisor/',
  'src/firmware/u-boot/',
  'src/firmware/image-loaders/audk.ts',
  'src/firmware/image-loaders/grub-peimage.ts',
  'src/firmware/image-loaders/lanzaboote.ts',
  'src/firmware/image-loaders/relocate-in-place.ts',
  'src/firmware/image-loaders/shim',
  'src/image/memmap/losses.ts',
  'src/boot/compare.ts',
  'src/boot/in-doubt.ts',
  'src/boot/room-in-place.ts',
  'src/boot/without-firmware.ts',
  'src/boot/memmap-machine.ts',
  'src/hazard/advise-placement.ts',
  'src/hazard/trace-back.ts',
  'src/hazard/used.ts',
  'src/hazard/in-a-sentence.ts',
  'src/report/facts.ts',
  'src/report/map.ts',
  'src/bytes/sha256.ts',
  'src/bytes/plain-data.ts',
]

const sources = readdirSync(join(top, 'src'), { recursive: true }).map(
  path => `src/${path.replaceAll('\\', '/')}`,
)
for (const path of [...SELDOM, ...Object.keys(NAMES)])
  if (!sources.some(source => `${source}/`.startsWith(path)))
    throw new Error(`.ci/build.mjs names ${path}, which no source begins with`)

/**
 * Groups of modules that shall be one file each: the closures of the modules that `bundles` names, the first
 * ones first. Imports that wait for a command are not followed.
 */
function groupsOf(bundles) {
  const closures = new Map(Object.keys(bundles).map(name => [name, new Set()]))
  const plugin = {
    name: 'closures',
    buildEnd() {
      const visit = (id, reached) => {
        if (reached.has(id)) return
        reached.add(id)
        for (const imported of this.getModuleInfo(id)?.importedIds ?? []) visit(imported, reached)
      }
      for (const [name, modules] of Object.entries(bundles))
        for (const module of modules) visit(join(top, module), closures.get(name))
    },
  }
  const groups = [...closures].map(([name, reached], i) => ({
    name,
    test: id => reached.has(id),
    priority: PACKAGES.length + closures.size - i,
  }))
  const seldom = {
    name: 'seldom',
    test: id => SELDOM.some(path => relative(top, id).replaceAll('\\', '/').startsWith(path)),
    priority: 100,
    includeDependenciesRecursively: false,
  }
  return { plugin, groups: groups.length === 0 ? [] : [seldom, ...groups, ...PACKAGES] }
}

/** A hash of the scripts of a folder. */
function hashOf(folder) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort())
    if (name.endsWith('.js')) hash.update(readFileSync(join(folder, name)))
  return hash.digest('hex').slice(0, 16)
}

/** Bundles what `input` names into `folder` of dist; `bundles` are those that shall be one file each. */
async function bundle(input, folder, format, bundles = {}, define = {}) {
  const { plugin, groups } = groupsOf(bundles)
  const build = await rolldown({
    cwd: top,
    input,
    platform: 'node',
    external: ['vitest'],
    preserveEntrySignatures: format === 'es' ? 'exports-only' : 'allow-extension',
    plugins: [plugin, tables],
    transform: { target: 'node20.19', define },
    onLog: (level, log) => {
      throw new Error(`${level}: ${log.message}`)
    },
  })
  const { output } = await build.generate({
    dir: join(dist, folder),
    format,
    entryFileNames: '[name].js',
    chunkFileNames: chunk => (format === 'es' ? `shared/${sharedName(chunk)}.js` : '[name].js'),
    codeSplitting: { groups },
    comments: false,
    minify: MINIFY,
    minifyInternalExports: false,
    strict: true,
    topLevelVar: true,
    sourcemap: 'hidden',
  })
  await build.close()
  const all = output.filter(({ type }) => type === 'chunk')
  const { chunks, finished } =
    format === 'cjs' ? programBundles(all) : { chunks: all, finished: (_, code) => code }
  for (const { fileName, code: made, map, moduleIds } of chunks) {
    const isAllForeign = moduleIds.every(isForeign)
    const code = finished(fileName, isAllForeign ? ascii(made) : unindented(ascii(made)))
    const path = join(dist, folder, fileName)
    mkdirSync(dirname(path), { recursive: true })
    for (const id of moduleIds.filter(isForeign)) foreign.add(id)
    const lines =
      map === null ? null : lineMap(map, path => (isOurs(path) ? path.replaceAll('\\', '/') : null))
    if (isAllForeign) writeFileSync(path, minifySync(path, code).code)
    else if (lines === null || lines.sources.length === 0) writeFileSync(path, code)
    else {
      writeFileSync(path, `${code.trimEnd()}\n//# sourceMappingURL=${basename(path)}.map\n`)
      writeFileSync(`${path}.map`, `${JSON.stringify(lines)}\n`)
    }
  }
}

// The library: three doors, which share what they have in common.
await bundle(Object.fromEntries(DOORS.map(door => [door, `src/${door}.ts`])), '', 'es')
// The program: CommonJS, because an ES module costs Node a quarter of its own start before its first line
// runs. A file costs to load, too, so what every command needs is one, and so is what check needs.
await bundle({ program: 'src/cli/program.ts' }, 'cli', 'cjs', {
  program: ['src/cli/program.ts'],
  model: ['src/cli/check.ts', 'src/report/text.ts'],
})
// The executable, which loads the others by name and keeps what V8 compiled for this build.
await bundle(
  { main: 'src/cli/main.ts' },
  'cli',
  'cjs',
  {},
  { BUILD: JSON.stringify(hashOf(join(dist, 'cli'))) },
)
writeFileSync(join(dist, 'cli/package.json'), '{ "type": "commonjs" }\n')
// npm makes a linked program executable once; a new build must not take that away.
chmodSync(join(dist, 'cli/main.js'), 0o755)

for (const entry of readdirSync(join(top, 'src'), { recursive: true, withFileTypes: true }))
  if (entry.isFile() && entry.name.endsWith('.schema.json'))
    cpSync(join(entry.parentPath, entry.name), join(dist, entry.name))
writeFileSync(join(dist, 'NOTICE'), noticeOf(foreign))
await import('./spec-index.mjs')
