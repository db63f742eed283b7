/**
 * What people and programs put around text: quotes, marks, stamps, markup, encodings, folds. Each takes the
 * lines of a program and gives back what is pasted. They share no code with the readers.
 */

/** One kind of clothing. */
export interface Clothing {
  readonly name: string
  readonly wear: (lines: readonly string[]) => string | Uint8Array
  /** It is put on by a logger of its own program, and needs no word. */
  readonly silent?: boolean
}

type Line = (line: string, i: number) => string

const LF = '\n'
const each = (name: string, line: Line, silent = false): Clothing => ({
  name,
  wear: lines => lines.map(line).join(LF),
  ...(silent ? { silent } : {}),
})
const all = (name: string, wear: Clothing['wear'], silent = false): Clothing => ({
  name,
  wear,
  ...(silent ? { silent } : {}),
})
const two = (i: number): string => String(i % 60).padStart(2, '0')
const html = (line: string): string =>
  line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const STAMP = '[    0.000000] '

/** Cut at a width. */
export const fold = (lines: readonly string[], width: number): string[] =>
  lines.flatMap(line => line.match(new RegExp(`.{1,${String(width)}}`, 'gu')) ?? [''])

/** As `fold -s` does: behind the last blank that fits; the blank stays. */
export function foldAtBlanks(lines: readonly string[], width: number): string[] {
  return lines.flatMap(line => {
    const out: string[] = []
    let rest = line
    while (rest.length > width) {
      const at = rest.lastIndexOf(' ', width - 1) + 1
      const cut = at > 0 ? at : width
      out.push(rest.slice(0, cut))
      rest = rest.slice(cut)
    }
    return [...out, rest]
  })
}

/** As a mailer does: at the last blank before the width, which goes; long words stay. */
export function wrap(lines: readonly string[], width: number): string[] {
  return lines.flatMap(line => {
    const out: string[] = []
    let rest = line
    while (rest.length > width) {
      const before = rest.lastIndexOf(' ', width)
      const at = before > 0 && rest.slice(0, before).trim() !== '' ? before : rest.indexOf(' ', width)
      if (at < 0) break
      out.push(rest.slice(0, at))
      rest = rest.slice(at + 1)
    }
    return [...out, rest]
  })
}

function quotedPrintable(text: string): string {
  const escaped = text
    .replaceAll('=', '=3D')
    .replace(/[^\x20-\x7e\n\t]/gu, letter =>
      [...new TextEncoder().encode(letter)]
        .map(byte => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
        .join(''),
    )
    .replace(/[ \t]+$/gm, blanks => `${blanks.slice(0, -1)}=20`)
  return escaped
    .split(LF)
    .map(line => {
      const out: string[] = []
      let rest = line
      while (rest.length > 76) {
        let at = 75
        if (rest[at - 1] === '=') at -= 1
        else if (rest[at - 2] === '=') at -= 2
        out.push(`${rest.slice(0, at)}=`)
        rest = rest.slice(at)
      }
      return [...out, rest].join(LF)
    })
    .join(LF)
}

function utf16(text: string, little: boolean, mark: boolean): Uint8Array {
  const whole = (mark ? '\ufeff' : '') + text
  const bytes = new Uint8Array(whole.length * 2)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < whole.length; i++) view.setUint16(2 * i, whole.charCodeAt(i), little)
  return bytes
}

const jsonOf = (line: string, more: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({ ...more, MESSAGE: line })
const bytesOf = (line: string): number[] => [...new TextEncoder().encode(line)]
const percent = (text: string): string => encodeURIComponent(text)

const QUOTES: readonly Clothing[] = [
  each('quoted', line => `> ${line}`),
  each('quoted twice', line => `>> ${line}`),
  each('quoted by several', line => `> > | ${line}`),
  each('quoted without a blank', line => `>${line}`),
  each('bars', line => `| ${line}`),
  each('behind a tab', line => `\t${line}`, true),
  each('indented', line => `    ${line}`, true),
  each('of a block comment', line => ` * ${line}`),
  each('of a comment', line => `# ${line}`),
  each('of // comments', line => `// ${line}`),
  each('a list of dashes', line => `- ${line}`),
  each('a list of stars', line => `* ${line}`),
  each('a list of bullets', line => `\u2022 ${line}`),
  each('numbered', (line, i) => `${String(i + 1)}. ${line}`),
  each('numbered with a bracket', (line, i) => `${String(i + 1)}) ${line}`),
  each('of cat -n', (line, i) => `${String(i + 1).padStart(6)}\t${line}`),
  each('of less -N', (line, i) => `${String(i + 1).padStart(7)} ${line}`),
  each('of bat', (line, i) => `${String(i + 1).padStart(4)}   \u2502 ${line}`),
  each('of cat -A', line => `${line.replaceAll('\t', '^I')}$`),
  each('with ^M', line => `${line}^M`),
  each('of grep -n', (line, i) => `${String(i + 1)}:${line}`),
  each('of grep -rn', (line, i) => `logs/boot-1.txt:${String(i + 1)}:${line}`),
  each('of grep -C', (line, i) => `logs/boot-1.txt-${String(i + 1)}-${line}`),
  each('of zgrep', line => `/var/log/dmesg.1.gz:${line}`),
  each('added in a diff', line => `+${line}`),
  each('context of a diff', line => ` ${line}`, true),
  each('changed in a context diff', line => `! ${line}`),
  all('a whole diff', lines =>
    [
      '--- a/map.txt',
      '+++ b/map.txt',
      `@@ -0,0 +1,${String(lines.length)} @@`,
      ...lines.map(line => `+${line}`),
    ].join(LF),
  ),
]

const MARKUP: readonly Clothing[] = [
  all('fenced', lines => ['```', ...lines, '```'].join(LF), true),
  all('fenced with a language', lines => ['~~~text', ...lines, '~~~'].join(LF), true),
  all('fence on the same line', lines => `\`\`\`${lines.join(LF)}\`\`\``),
  all('fence in a quote', lines => ['> ```', ...lines.map(line => `> ${line}`), '> ```'].join(LF)),
  each('code spans', line => `\`${line}\``),
  each('code spans in a list', line => `- \`${line}\``),
  each('bold', line => `**${line}**`),
  each('hard breaks of Markdown', line => `${line}\\`),
  each('a Markdown table', (line, i) => `| ${String(i)} | ${line} |`),
  each('a Markdown table with code', line => `| \`${line.replaceAll('|', '\\|')}\` |`),
  each('escaped by Markdown', line => line.replace(/[[\]|_*<>#-]/g, '\\$&')),
  each('a wiki table', line => `|| ${line} ||`),
  each('preformatted by a wiki', line => ` ${line}`, true),
  all('BBCode', lines => `[code]${lines.join(LF)}[/code]`),
  all('BBCode, a spoiler', lines => `[spoiler=map][code]${LF}${lines.join(LF)}${LF}[/code][/spoiler]`),
  all('Jira, noformat', lines => `{noformat}${LF}${lines.join(LF)}${LF}{noformat}`, true),
  all('Jira, noformat on the same line', lines => `{noformat}${lines.join(LF)}{noformat}`),
  all('Jira, code', lines => `{code:title=dmesg}${lines.join(LF)}{code}`),
  each('Jira, quote', line => `bq. ${line}`),
  each('Jira, monospaced', line => `{{${line}}}`),
  all('HTML, pre', lines => `<html><body><pre>${lines.map(html).join(LF)}</pre></body></html>`),
  all('HTML, br', lines => `<p>${lines.map(html).join('<br>\n')}</p>`),
  all('HTML, br without lines', lines => `<p>${lines.map(html).join('<br/>')}</p>`),
  all('HTML, blanks kept', lines =>
    lines.map(line => html(line).replaceAll('  ', ' &nbsp;')).join('<br />\n'),
  ),
  each(
    'HTML, table',
    (line, i) => `<tr><td class="n">${String(i)}</td><td><code>${html(line)}</code></td></tr>`,
  ),
  each('HTML, spans', line =>
    html(line).replace(/[0-9a-f]{8,16}/gi, digits => `<span class="mi">${digits}</span>`),
  ),
  each('HTML, every sign an entity', line =>
    line.replace(/[^A-Za-z0-9\s]/g, sign => `&#${String(sign.charCodeAt(0))};`),
  ),
  all('XML, CDATA', lines => `<log><![CDATA[${LF}${lines.join(LF)}${LF}]]></log>`, true),
  all('reStructuredText', lines => ['::', '', ...lines.map(line => `   ${line}`)].join(LF), true),
  all('AsciiDoc', lines => ['----', ...lines, '----'].join(LF), true),
  each('Org', line => `: ${line}`),
  all('Textile', lines => `bc. ${lines.join(LF)}`),
  all('LaTeX', lines => ['\\begin{verbatim}', ...lines, '\\end{verbatim}'].join(LF), true),
  all('YAML, a block', lines => ['log: |', ...lines.map(line => `  ${line}`)].join(LF), true),
  each('YAML, a list', line => `  - '${line.replaceAll("'", "''")}'`),
  each('CSV', (line, i) => `${String(i)},"${line.replaceAll('"', '""')}",info`),
  each('TSV', (line, i) => `${String(i)}\thost\t${line}\tinfo`),
]

const LOGGERS: readonly Clothing[] = [
  each('dmesg', line => STAMP + line, true),
  each('dmesg -H', (line, i) => (i === 0 ? `[Nov30 09:47] ${line}` : `[  +0.000000] ${line}`)),
  each('dmesg -x', line => `kern  :info  : ${STAMP}${line}`),
  each('dmesg -T', line => `[Mon Nov 30 09:47:45 2026] ${line}`, true),
  each('dmesg -e', (line, i) => (i === 0 ? `[Nov30 09:47] ${line}` : `[  +0.000004] ${line}`)),
  each('dmesg -d', line => `[    0.000000 <    0.000000>] ${line}`),
  each('dmesg -r', line => `<6>${STAMP}${line}`, true),
  each('dmesg, ISO', line => `2026-11-30T09:47:45,123456+01:00 ${line}`, true),
  each(
    'dmesg, colours',
    line => `\x1b[32m${STAMP}\x1b[0m\x1b[33m${line.replace(/^\w+:/, '$&\x1b[0m')}`,
    true,
  ),
  each('dmesg, callers', line => `[    0.000000] [    T0] ${line}`, true),
  each('console, callers', line => `[    0.000000][    T0] ${line}`, true),
  each('a console on processor 0', line => `[    0.000000][    C0] ${line}`, true),
  each('/dev/kmsg', (line, i) => `6,${String(400 + i)},0,-;${line}`),
  each('netconsole', (line, i) => `6,${String(400 + i)},0,-,caller=T0;${line}`),
  each('journalctl', line => `Nov 30 09:47:45 host kernel: ${line}`, true),
  each('journalctl, short-full', line => `Mon 2026-11-30 09:47:45 CET host kernel: ${line}`),
  each('journalctl, short-iso', line => `2026-11-30T09:47:45+0100 host kernel: ${line}`, true),
  each('journalctl, short-iso-precise', line => `2026-11-30T09:47:45.123456+0100 host kernel: ${line}`, true),
  each('journalctl, short-precise', line => `Nov 30 09:47:45.123456 host kernel: ${line}`),
  each('journalctl, short-monotonic', line => `[    0.000000] host kernel: ${line}`, true),
  each('journalctl, short-delta', line => `[    0.000000 <    0.000000 >] host kernel: ${line}`),
  each('journalctl, short-unix', line => `1796028465.123456 host kernel: ${line}`),
  each('journalctl, with-unit', line => `Mon 2026-11-30 09:47:45 CET host init.scope[1]: ${line}`),
  each(
    'journalctl, verbose',
    line =>
      `Mon 2026-11-30 09:47:45.123456 CET [s=0123456789abcdef0123456789abcdef;i=1;b=0123456789abcdef]\n` +
      `    PRIORITY=6\n    SYSLOG_IDENTIFIER=kernel\n    MESSAGE=${line}\n    _TRANSPORT=kernel`,
  ),
  each(
    'journalctl, export',
    line => `__REALTIME_TIMESTAMP=1796028465123456\nPRIORITY=6\nMESSAGE=${line}\n_TRANSPORT=kernel\n`,
  ),
  each('journalctl, json', line => jsonOf(line, { PRIORITY: '6', _TRANSPORT: 'kernel' })),
  each('journalctl, json of bytes', line =>
    JSON.stringify({ PRIORITY: '6', MESSAGE: bytesOf(line), _TRANSPORT: 'kernel' }),
  ),
  each('journalctl, json-pretty', line => `{\n\t"PRIORITY" : "6",\n\t"MESSAGE" : ${JSON.stringify(line)}\n}`),
  each(
    'journalctl, json-pretty of bytes',
    line => `{\n\t"MESSAGE" : [\n\t\t${bytesOf(line).join(',\n\t\t')}\n\t],\n\t"PRIORITY" : "6"\n}`,
  ),
  each('journalctl, json-sse', line => `data: ${jsonOf(line, { PRIORITY: '6' })}\n`),
  each('journalctl, json-seq', line => `\x1e${jsonOf(line, { PRIORITY: '6' })}`),
  ...[
    'M\u00e4r 12',
    'd\u00e9c. 12',
    '12\u6708 12',
    '\u0434\u0435\u043a 12',
    '12\uc6d4 12',
    'pro 12',
    'aralık 12',
    '\u062f\u064a\u0633\u0645\u0628\u0631 12',
    '12 de dez',
    '12-dic',
    '\u0394\u03b5\u03ba 12',
  ].map(date => each(`journalctl, ${date}`, line => `${date} 10:49:44 host kernel: ${line}`)),
  each('RFC 3164', line => `<6>Nov 30 09:47:45 host kernel: ${STAMP}${line}`, true),
  each('RFC 5424', line => `<6>1 2026-11-30T09:47:45.123456+01:00 host kernel - - - ${line}`),
  each(
    'RFC 5424 with data',
    line => `<6>1 2026-11-30T09:47:45Z host kernel 1 ID47 [ex@1 a="b" c="d"] ${line}`,
  ),
  each('rsyslog, ISO', line => `2026-11-30T09:47:45.123456+01:00 host kernel: ${STAMP}${line}`, true),
  each('ts', line => `Nov 30 09:47:45 ${line}`),
  each('ts -i', line => `00:00:01 ${line}`, true),
  each('ts with fractions', line => `2026-11-30 09:47:45.123456 ${line}`, true),
  each('Android logcat', line => `11-30 09:47:45.123     0     0 I ${line}`),
  each('GitHub Actions', line => `2026-11-30T09:47:45.1234567Z ${line}`, true),
  each('gh run view --log', line => `build\tBoot it\t2026-11-30T09:47:45.1234567Z ${line}`),
  each('Jenkins', line => `[2026-11-30T09:47:45.123Z] ${line}`),
  each(
    'GitLab',
    (line, i) => `2026-11-30T09:47:45.123456Z 01O ${line}\x1b[0;m${i === 0 ? '\x1b[0K' : ''}`,
    true,
  ),
  each('Buildkite', line => `\x1b_bk;t=1796028465123\x07${line}`, true),
  each('a test driver', line => `machine # ${line}`),
  each('a test driver with times', line => `machine: (12.34s) # ${STAMP}${line}`),
  each('LAVA', line => `09:47:45.123456  <6>${STAMP}${line}`),
  each('labgrid', line => `[  12.345] ${STAMP}${line}`, true),
  each('OpenQA', line => `[2026-11-30T09:47:45.123456+01:00] [debug] ${line}`),
  each('docker, json-file', line =>
    JSON.stringify({ log: `${line}\r\n`, stream: 'stdout', time: '2026-11-30T09:47:45.123456789Z' }),
  ),
  each('docker compose', line => `vm-1  | ${line}`),
  each('kubectl, CRI', line => `2026-11-30T09:47:45.123456789Z stdout F ${line}`),
  each('kubectl with prefix', line => `[pod/vm-0/qemu] ${line}`),
  each('logfmt', line => `time=2026-11-30T09:47:45Z level=info msg=${JSON.stringify(line)} unit=vm`),
  each('JSON lines', line => JSON.stringify({ '@timestamp': 1, message: line, level: 'info' })),
  each('strace', line => `write(1, ${JSON.stringify(`${line}\n`)}, ${String(line.length + 1)}) = 80`),
  each('Python logging', line => `2026-11-30 09:47:45,123 INFO qemu.console: ${line}`, true),
  each('Robot Framework', line => `20261130 09:47:45.123 - INFO - ${line}`),
  each('QEMU debugcon with prefix', line => `serial0: ${line}`),
  each('a virtual console of virsh', (line, i) => `${line}\r${i === 0 ? '' : ''}`, true),
]

const CHATS: readonly Clothing[] = [
  each('IRC', (line, i) => `09:${two(i)} <nick> ${line}`),
  each('IRC with seconds', (line, i) => `[09:47:${two(i)}] <+nick> ${line}`),
  each('WeeChat', (line, i) => `09:47:${two(i)}        nick | ${line}`),
  each('Discord', line => `[09:47]nick: ${line}`),
  each('Discord, a day', line => `[30.11.2026 09:47] nick#1234: ${line}`),
  each('Matrix', line => `> <@nick:host.org> ${line}`),
  all('Slack', lines => `nick  9:47 AM\n${lines.join(LF)}`, true),
  each('Zulip', line => `nick: ${line}`),
  all('Telegram', lines => `Nick, [30.11.26 09:47]\n${lines.join(LF)}`, true),
  each('WhatsApp', line => `[30.11.26, 09:47:45] Nick: ${line}`),
]

const TERMINALS: readonly Clothing[] = [
  all('CR LF', lines => lines.join('\r\n'), true),
  all('CR', lines => lines.join('\r'), true),
  all('CR CR LF', lines => lines.join('\r\r\n'), true),
  all('script', lines => `Script started on 2026-11-30\r\n${lines.join('\r\n')}\r\nScript done\r\n`, true),
  each('colours', line => `\x1b[0;37;40m${line}\x1b[0m\x1b[K`, true),
  each(
    'colours inside',
    line => line.replace(/[0-9a-f]{8,16}/gi, digits => `\x1b[01;31m\x1b[K${digits}\x1b[m\x1b[K`),
    true,
  ),
  each('colours written out', line => `^[[32m${line}^[[0m`),
  each('places of a cursor', (line, i) => `\x1b[${String(i + 1).padStart(2, '0')};01H${line}`, true),
  all(
    'places of a cursor instead of lines',
    lines => lines.map((line, i) => `\x1b[${String(i + 1).padStart(2, '0')};01H${line}`).join(''),
    true,
  ),
  each('a title', line => `\x1b]0;user@host: ~\x07${line}`, true),
  each('a hyperlink', line => `\x1b]8;;file:///x\x1b\\${line}\x1b]8;;\x1b\\`, true),
  each('a pane to the right', line => `user@host:~$ ls     \u2502${line}`),
  each('a pane to the left', line => `${line.padEnd(130)}\u2502top - 09:47:45 up 1 day`),
  each('a box', line => `\u2502 ${line.padEnd(130)} \u2502`),
  each('a box of ASCII', line => `| ${line.padEnd(130)} |`),
  each('blanks up to the edge', line => line.padEnd(160), true),
  all('a prompt before', lines => `root@host:~# dmesg | head\n${lines.join(LF)}\nroot@host:~#`, true),
  all('a prompt in the first line', lines => `Shell> ${lines.join(LF)}`),
  all('all in one line', lines => lines.join(' '), true),
  all('an empty line between', lines => lines.join('\n\n'), true),
  all(
    'an empty line after three',
    lines => lines.map((line, i) => (i % 3 === 2 ? `${line}\n` : line)).join(LF),
    true,
  ),
  all('more', lines => lines.map((line, i) => (i % 3 === 2 ? `${line}\n--More--` : line)).join(LF), true),
  all(
    'Press any key',
    lines =>
      lines
        .map((line, i) => (i % 3 === 2 ? `${line}\nPress ENTER to continue or 'Q' break:` : line))
        .join(LF),
    true,
  ),
  all(
    'more, over it',
    lines => lines.map((line, i) => (i % 3 === 2 ? `${line}\n--MORE--\r        \r` : line)).join(LF),
    true,
  ),
]

const LETTERS: readonly Clothing[] = [
  each('NBSP', line => line.replaceAll(' ', '\u00a0')),
  each('NBSP of two', line => line.replaceAll('  ', ' \u00a0')),
  each('tabs for blanks', line => line.replace(/ {3,}/g, '\t'), true),
  each('blanks collapsed', line => line.replace(/\s+/g, ' ').trim(), true),
  each('en dashes', line => line.replace(/([0-9a-f]{4})(\s?)-(\s?)(?=[0-9a-f]{4}|0x)/gi, '$1$2\u2013$3')),
  each('minus signs', line => line.replace(/([0-9a-f]{4})(\s?)-(\s?)(?=[0-9a-f]{4}|0x)/gi, '$1$2\u2212$3')),
  each('soft hyphens', line =>
    line.replace(/[0-9a-f]{16}/gi, digits => `${digits.slice(0, 8)}\u00ad${digits.slice(8)}`),
  ),
  each('zero-width blanks', line =>
    line.replace(/[0-9a-f]{16}/gi, digits => `${digits.slice(0, 8)}\u200b${digits.slice(8)}`),
  ),
  each('marks of direction', line => `\u200e${line}\u200e`),
  each('typographic quotes', line => `\u201c${line}\u201d`),
  each('typographic quotes inside', line => line.replace(/"([^"]*)"/g, '\u201c$1\u201d')),
  each('German quotes', line => `\u201e${line}\u201c`),
  each('full width', line =>
    line.replace(/[!-~]/g, letter => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
  ),
  each(
    'capital digits',
    line => line.replace(/(?<![a-z])[0-9a-f]{8,16}(?![a-z])/g, digits => digits.toUpperCase()),
    true,
  ),
  each('ligatures', line => line.replaceAll('ff', '\ufb00').replaceAll('fi', '\ufb01')),
  each('ellipsis for three dots', line => line.replaceAll('...', '\u2026'), true),
  all('UTF-8 with a mark', lines => `\ufeff${lines.join(LF)}`, true),
  all('UTF-16 LE', lines => utf16(lines.join('\r\n'), true, false), true),
  all('UTF-16 BE', lines => utf16(lines.join('\r\n'), false, false), true),
  all('UTF-16 LE with a mark', lines => utf16(lines.join('\r\n'), true, true), true),
  all('UTF-16 BE with a mark', lines => utf16(lines.join('\r\n'), false, true), true),
  all('UTF-16 LE, quoted', lines => utf16(lines.map(line => `> ${line}`).join('\r\n'), true, false)),
  all('Windows-1252', lines =>
    Uint8Array.from(lines.map(line => `\u00a0${line}`).join(LF), letter => letter.charCodeAt(0) & 0xff),
  ),
  all('quoted-printable', lines => quotedPrintable(lines.join(LF))),
  all('quoted-printable of a quote', lines => quotedPrintable(lines.map(line => `> ${line}`).join(LF))),
  all('quoted-printable, NBSP', lines =>
    quotedPrintable(lines.map(line => line.replaceAll('  ', '\u00a0 ')).join(LF)),
  ),
  all(
    'base64',
    lines =>
      btoa(lines.join(LF))
        .match(/.{1,76}/g)
        ?.join(LF) ?? '',
  ),
  all('percent-encoded', lines => percent(lines.join(LF))),
  all('a form', lines => `text=${percent(lines.join(LF)).replaceAll('%20', '+')}&lang=text`),
  all('a JSON string', lines => JSON.stringify(lines.join(LF))),
  all('a field of JSON', lines => JSON.stringify({ id: 1, body: `map:\r\n${lines.join('\r\n')}` })),
  all('a JSON string twice', lines => JSON.stringify(JSON.stringify({ log: lines.join(LF) }))),
  all('a list of JSON', lines => JSON.stringify(lines, null, 2)),
  all('a list of JSON in one line', lines => JSON.stringify(lines)),
  all('a string of Python', lines => `'${lines.join('\\n')}\\n'`),
  all('bytes of Python', lines => `b'${lines.join('\\r\\n')}\\r\\n'`),
  each('strings of C', line => `"${line.replaceAll('"', '\\"')}\\n"`),
  each(
    'strings of C with their columns',
    line => `\t"${line.replaceAll('"', '\\"').replaceAll('\t', '\\t')}\\n" \\`,
  ),
  each('u-notation', line => line.replace(/[<>&"'-]/g, c => `\\u00${c.charCodeAt(0).toString(16)}`)),
]

const WIDTHS = [60, 72, 76, 78, 80, 100, 120] as const
const FOLDS: readonly Clothing[] = WIDTHS.flatMap(width => {
  const w = String(width)
  const stamped = (lines: readonly string[]): string[] => lines.map(line => STAMP + line)
  const quoted = (lines: readonly string[]): string[] => lines.map(line => `> ${line}`)
  return [
    all(`fold ${w}`, lines => fold(lines, width).join(LF), true),
    all(`fold -s ${w}`, lines => foldAtBlanks(lines, width).join(LF), true),
    all(`wrapped ${w}`, lines => wrap(lines, width).join(LF), true),
    all(`wrapped ${w}, stamped`, lines => wrap(stamped(lines), width).join(LF), true),
    all(`fold ${w}, stamped`, lines => fold(stamped(lines), width).join(LF), true),
    all(`fold ${w}, quoted before`, lines => fold(quoted(lines), width).join(LF)),
    all(`fold ${w}, quoted after`, lines => quoted(fold(lines, width)).join(LF)),
    all(`wrapped ${w}, quoted before`, lines => wrap(quoted(lines), width).join(LF)),
    all(`wrapped ${w}, quoted after`, lines => quoted(wrap(lines, width)).join(LF)),
    all(`wrapped ${w}, quoted after, stamped`, lines => quoted(wrap(stamped(lines), width)).join(LF)),
    all(
      `flowed ${w}`,
      lines =>
        foldAtBlanks(lines, width)
          .map(line => (/^(?: |>|From )/.test(line) ? ` ${line}` : line))
          .join(LF),
      true,
    ),
    all(`flowed ${w}, quoted`, lines =>
      foldAtBlanks(lines, width)
        .map(line => `> ${line}`)
        .join(LF),
    ),
    all(
      `fold ${w} of a journal`,
      lines =>
        fold(
          lines.map(line => `Nov 30 09:47:45 host kernel: ${line}`),
          width,
        ).join(LF),
      true,
    ),
  ]
})

/** All of it. */
export const CLOTHING: readonly Clothing[] = [
  ...QUOTES,
  ...MARKUP,
  ...LOGGERS,
  ...CHATS,
  ...TERMINALS,
  ...LETTERS,
  ...FOLDS,
]
