// The licences of what is bundled, from the packages themselves.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the package that a module belongs to. */
function folderOf(id) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0]
}

function chapterOf(folder) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = readdirSync(folder).find(entry => /^licen[cs]e(\.md|\.txt)?$/i.test(entry))
  if (file === undefined) throw new Error(`${name} ${version} brings no licence text`)
  const notice = existsSync(join(folder, 'NOTICE'))
    ? `${readFileSync(join(folder, 'NOTICE'), 'utf8').trim()}\n\n`
    : ''
  const by = typeof author === 'string' ? author : author?.name
  return [
    `${name} ${version}, ${license}${by === undefined ? '' : `, ${by.replace(/ <.*/, '')}`}`,
    '='.repeat(100),
    `${notice}${readFileSync(join(folder, file), 'utf8').trim()}\n`,
  ].join('\n\n')
}

/** The text for these modules, packages in the order of their names. */
export function noticeOf(modules) {
  const folders = [...new Set([...modules].map(folderOf))].sort()
  return [
    'stubsim bundles parts of the packages below. Each is under its own licence, whose text follows.\n',
    ...folders.map(chapterOf),
  ].join('\n\n')
}
