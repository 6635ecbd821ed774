import { describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { configFileOf } from '../../src/cli/arguments.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder } from '../support/config-folder.ts'

describe('wrong usage', () => {
  test.each([
    [['chek'], /unknown command 'chek'[\s\S]*check/],
    [['check', '--colour'], /unknown option '--colour'/],
    [['check', '--config'], /argument missing/],
    [['session', 'list', 'a b'], /'a b' is invalid.*Expected a domain/],
    [['session', 'close', 'a b'], /'a b' is invalid.*Expected a domain/],
    [['check', 'surplus'], /too many arguments/],
    [[], /Usage: gatehouse/],
  ])('is exit status 2 and told on standard error: %j', async (argv, expected) => {
    const { status, out, err } = await runCommand(argv)
    expect({ status, out }).toEqual({ status: 2, out: '' })
    expect(err).toMatch(expected)
  })
})

describe('asking for help', () => {
  test.each([['--help'], ['help'], ['check', '--help']])('is good usage: %s %s', async (...argv) => {
    const { status, out, err } = await runCommand(argv)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    expect(out).toContain('Usage: gatehouse')
  })

  test('goes by the whole command', async () => {
    const { out } = await runCommand(['help', 'partner', 'set'])
    expect(out).toMatch(/^Usage: gatehouse partner set [\s\S]* --add-additional /)
  })

  test('for the version tells it', async () => {
    expect(await runCommand(['--version'])).toEqual({ status: 0, out: `${manifest.version}\n`, err: '' })
  })
})

describe('the configuration file', () => {
  const [here, system] = ['config/gatehouse.yaml', '/etc/gatehouse/gatehouse.yaml']
  test.each([
    { named: 'other.yaml', there: [here, system], is: 'other.yaml' },
    { named: undefined, there: [here, system], is: here },
    { named: undefined, there: [system], is: system },
    { named: undefined, there: [] as string[], is: undefined },
  ])('is $is where $named is named, and there are $there', ({ named, there, is }) => {
    expect(configFileOf(named, file => there.includes(file))).toBe(is)
  })
})

describe('the options for all commands', () => {
  test('stand before or behind the command', async () => {
    const { file } = configFolder()
    const before = await runCommand(['--config', file, '--json', 'check'])
    expect(before.status).toBe(0)
    expect(JSON.parse(before.out).problems).toHaveLength(1)
    expect(await runCommand(['check', '--json', '-c', file])).toEqual(before)
  })
})
