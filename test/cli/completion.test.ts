import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { programTree } from '../../src/cli/arguments.ts'
import { everyCommand, treeOf } from '../../src/cli/command-tree.ts'
import { domainsOf } from '../../src/cli/completion-words.ts'
import { runCommand } from '../support/command-host.ts'
import { type ConfigFolder, configFolder, leastConfig } from '../support/config-folder.ts'

const program = programTree()
const run = promisify(execFile)

/** A configuration with partners; a program `gatehouse` that runs this source, and the completion of each shell, beside it. */
async function scene(): Promise<ConfigFolder> {
  const main = new URL('../../src/main.ts', import.meta.url).pathname
  const script = async (shell: string) => (await runCommand(['completion', shell])).out
  const folder = configFolder({
    'config/gatehouse.yaml': leastConfig,
    'config/partners.yaml': `partners:
  - { primaryDomain: fabrikam.com, additionalDomains: [it.fabrikam.com] }
  - { primaryDomain: northwind.example }
`,
    'bin/gatehouse': '',
    'bash.sh': await script('bash'),
    'zsh.sh': await script('zsh'),
    'fish.sh': await script('fish'),
    'here/out-of-here/x': 'x',
    'here/export.json': '[]',
  })
  writeFileSync(folder.at('bin/gatehouse'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`)
  execFileSync('chmod', ['755', folder.at('bin/gatehouse')])
  return folder
}

const pathOf = (folder: ConfigFolder) => `${folder.at('bin')}${delimiter}${process.env['PATH']}`

describe('the completion for bash', () => {
  test('is one that bash registers', async () => {
    const folder = await scene()
    const { stdout } = await run('bash', [
      '--norc',
      '-c',
      'source "$0" && complete -p gatehouse',
      folder.at('bash.sh'),
    ])
    expect(stdout).toBe('complete -F _gatehouse gatehouse\n')
  })

  // Words as bash splits them: "=" stands alone.
  test.each<[string[], string[]]>([
    [['par'], ['partner']],
    [
      ['partner', 's'],
      ['show', 'set'],
    ],
    [
      ['partner', 'add', 'x.example', '--t'],
      ['--type', '--tls', '--trust-anchor'],
    ],
    [
      ['partner', 'add', 'x.example', '--tls', ''],
      ['required', 'optional', 'notSupported'],
    ],
    [
      ['partner', 'add', '--type', '=', 'public'],
      ['publicVerified', 'publicUnverified'],
    ],
    [
      ['partner', 'add', '--type', '='],
      ['federated', 'publicVerified', 'publicUnverified'],
    ],
    [['partner', 'add', ''], []],
    [
      ['--config', 'CONFIG', 'partner', 'show', ''],
      ['fabrikam.com', 'it.fabrikam.com', 'northwind.example'],
    ],
    [['partner', 'set', '--tls', 'optional', '--config', '=', 'CONFIG', 'n'], ['northwind.example']],
    [['partner', 'show', 'fabrikam.com', ''], []],
    [['-c', 'CONFIG', 'cert', 'check', ''], ['contoso.com']],
    [['-c', '/nowhere/at-all.yaml', 'cert', 'check', ''], []],
    [['check', '--j'], ['--json']],
    [['partner', 'import', 'e'], ['export.json']],
    [['cert', 'request', '--out', ''], ['out-of-here']],
    [
      ['partner', 'set', '--clear', 'p'],
      ['proxy', 'pin'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
  ])('completes %j', async (words, expected) => {
    const folder = await scene()
    const line = words.map(word => (word === 'CONFIG' ? folder.file : word))
    const script = `source "$0"; COMP_WORDS=(gatehouse "$@"); COMP_CWORD=$#; _gatehouse; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = await run('bash', ['--norc', '-c', script, folder.at('bash.sh'), ...line], {
      cwd: folder.at('here'),
      env: { PATH: pathOf(folder) },
    })
    expect(stderr).toBe('')
    expect(stdout.split('\n').filter(word => word !== '')).toEqual(expected)
  })
})

describe.skipIf(!isThere('zsh'))(
  `the completion for zsh${isThere('zsh') ? '' : ' (not run: no zsh here)'}`,
  () => {
    test('is one that zsh can read', async () => {
      const folder = await scene()
      expect(await run('zsh', ['-f', '-n', folder.at('zsh.sh')])).toEqual({ stdout: '', stderr: '' })
    })
  },
)

describe.skipIf(!isThere('fish'))(
  `the completion for fish${isThere('fish') ? '' : ' (not run: no fish here)'}`,
  () => {
    test.each<[string, string[]]>([
      ['par', ['partner']],
      ['partner add x.example --type pub', ['publicUnverified', 'publicVerified']],
      ['-c CONFIG partner show ', ['fabrikam.com', 'it.fabrikam.com', 'northwind.example']],
      ['partner set x --k', ['--keep-alive']],
    ])('completes %j', async (line, expected) => {
      const folder = await scene()
      const typed = `gatehouse ${line.replace('CONFIG', folder.file)}`
      const { stdout } = await run(
        'fish',
        ['--no-config', '-c', `source ${folder.at('fish.sh')}; complete -C '${typed}'`],
        {
          env: { PATH: pathOf(folder), HOME: folder.at('here') },
        },
      )
      expect(stdout.split('\n').flatMap(found => found.split('\t')[0] || [])).toEqual(expected)
    })
  },
)

describe('the words of all completions', () => {
  const commands = everyCommand(program)

  test('know every command that takes a domain', () => {
    const taking = commands
      .filter(({ arguments: [first] }) => /\bdomain$/.test(first?.name ?? ''))
      .map(({ path }) => path.join(' '))
      .filter(path => path !== 'partner add' && path !== 'cert self-signed') // those are new
    expect(taking.length).toBeGreaterThan(5)
    expect(taking.filter(path => !(path in domainsOf))).toEqual([])
  })

  test('take a flag for one that a value follows everywhere, or nowhere', () => {
    const flags = (hasValue: boolean) =>
      commands.flatMap(({ options }) =>
        options.flatMap(({ flags, value }) => ((value !== undefined) === hasValue ? flags : [])),
      )
    const without = new Set(flags(false))
    expect(flags(true).filter(flag => without.has(flag))).toEqual([])
  })

  test('leave out what is hidden, and the help of the library', () => {
    const names = commands.map(({ path }) => path.join(' '))
    expect(names).toContain('completion')
    expect(names.filter(name => /complete-domains|help/.test(name))).toEqual([])
    expect(treeOf(new Command('x').addCommand(new Command('y'), { hidden: true })).commands).toEqual([])
  })

  test('are those of a configuration that is faulty elsewhere', async () => {
    const { file } = configFolder({
      'config/gatehouse.yaml':
        'domains: { contoso.com: 7, "$(id)": {} }\nno: such key\npartners: partners.yaml\n',
      'config/partners.yaml': 'partners: [7, { primaryDomain: a.example }, { additionalDomains: b }]\n',
    })
    const told = async (whose: string) => await runCommand(['complete-domains', whose, '--config', file])
    expect(await told('local')).toEqual({ status: 0, out: 'contoso.com\n', err: '' })
    expect(await told('partner')).toEqual({ status: 0, out: 'a.example\n', err: '' })
  })
})

function isThere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'exit'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
