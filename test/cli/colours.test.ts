import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'

const [red, yellow, end] = ['\x1b[31m', '\x1b[33m', '\x1b[39m']

/** A configuration with one warning, and with these lines more. */
function folderWith(lines = '') {
  return configFolder({ 'config/gatehouse.yaml': leastConfig + lines })
}

describe('colours', () => {
  const everywhere = () => true
  const run = (argv: readonly string[], isColoured?: (stream: 'out' | 'err') => boolean) =>
    runCommand(argv, {}, undefined, isColoured === undefined ? {} : { isColoured })

  test('tell errors from warnings, line by line', async () => {
    const { file } = folderWith('limits: { depth: 1 }\n')
    const { out, err } = await run(['check', '-c', file], everywhere)
    expect(out).toBe(`${red}${file}: 1 error, 1 warning${end}\n`)
    const [warning, error] = err.split('\n')
    expect(warning?.startsWith(`${yellow}${file}:2:18: `) && warning.endsWith(end)).toBe(true)
    expect(error?.startsWith(`${red}${file}:4:11: limits.depth: `) && error.endsWith(end)).toBe(true)
  })

  test('tell refusals, warnings and wrong usage', async () => {
    const { file, at } = configFolder({
      'config/gatehouse.yaml':
        'domains: { contoso.com: { certificate: none, key: none } }\ninternal: { connector: embedded }\n',
    })
    const { out } = await run(['partner', 'list', '-c', file], everywhere)
    expect(out).toBe('no partners\n')
    const refused = await run(['partner', 'show', 'a.b', '-c', file], everywhere)
    expect(refused.err).toBe(`${red}gatehouse: a.b: is not in the partner list${end}\n`)
    const add = [
      'partner',
      'add',
      'a.b',
      '--type',
      'federated',
      '--tls',
      'notSupported',
      '--sasl',
      'notSupported',
      '--dialback',
      'true',
    ]
    const added = await run([...add, '-c', file], everywhere)
    expect(added.err).toMatch(/^\x1b\[33ma\.b: warning: [^\n]*\x1b\[39m\n/)
    expect(added.out).toContain(`a.b: added in ${at('config/partners.yaml')}\n`)
    const usage = await run(['partner', 'show'], everywhere)
    expect(usage.err).toContain(`${red}error: missing required argument 'domain'${end}\n`)
  })

  test('are only on the stream that shows them', async () => {
    const { file } = folderWith()
    const { out, err } = await run(['check', '-c', file], stream => stream === 'out')
    expect(out).toBe(`${yellow}${file}: 0 errors, 1 warning${end}\n`)
    expect(err).not.toContain('\x1b')
  })

  test('are nowhere where machines read', async () => {
    const { file } = folderWith('limits: { depth: 1 }\n')
    for (const argv of [['check'], ['partner', 'show', 'a.b']]) {
      const { out, err } = await run([...argv, '--json', '-c', file], everywhere)
      expect(out + err).not.toContain('\x1b')
    }
  })
})

const hasTerminals = spawnSync('script', ['--version']).status === 0

describe.skipIf(!hasTerminals)('a terminal (script of util-linux makes one)', () => {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const onTerminal = (command: string, env: Readonly<Record<string, string>> = {}) =>
    spawnSync('script', ['-qec', command, '/dev/null'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
    }).stdout
  const check = (file: string) => `${process.execPath} ${main} check -c ${file}`

  test('shows colours, unless NO_COLOR says otherwise', () => {
    const { file } = folderWith()
    expect(onTerminal(check(file))).toContain(`${yellow}${file}: 0 errors, 1 warning${end}`)
    expect(onTerminal(check(file), { NO_COLOR: '1' })).not.toContain('\x1b[')
    expect(onTerminal(check(file), { TERM: 'dumb' })).not.toContain('\x1b[')
    expect(onTerminal(`${check(file)} --json`)).not.toContain('\x1b[')
  })

  test('shows none of a stream that goes elsewhere, unless FORCE_COLOR says otherwise', () => {
    const { file, at } = folderWith()
    const apart = `${check(file)} 2>${at('err.txt')}`
    expect(onTerminal(apart)).toContain(yellow)
    expect(readFileSync(at('err.txt'), 'utf8')).not.toContain('\x1b')
    expect(onTerminal(apart, { FORCE_COLOR: '1' })).toContain(yellow)
    expect(readFileSync(at('err.txt'), 'utf8')).toContain(yellow)
  })
})
