import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FileEditError } from '../../src/config/edit-file.ts'
import { ConfigError } from '../../src/config/problems.ts'
import { dropToken, isTokenName, type KeptToken, keepToken, readTokens } from '../../src/config/tokens.ts'
import { configFolder } from '../support/config-folder.ts'

const grafana: KeptToken = {
  name: 'grafana',
  id: '0123456789ab',
  role: 'viewer',
  created: '2026-11-20T15:00:00.000Z',
  scrypt: { cost: 16_384, blockSize: 8, parallelization: 1 },
  salt: '0a'.repeat(16),
  hash: '0b'.repeat(32),
}
const backup: KeptToken = { ...grafana, name: 'backup', id: 'ba0123456789', role: 'administrator' }

function problemsOf(file: string): string[] {
  try {
    readTokens(file)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ line, key, message }) => `${line} ${key}: ${message}`)
  }
}

describe('the file of tokens', () => {
  test('is made for its owner alone; tokens come and go, and nothing stays beside it', async () => {
    const folder = configFolder()
    const file = folder.at('data/tokens.yaml')
    expect(readTokens(file)).toEqual([])
    expect(await dropToken(file, 'grafana')).toBe(false)
    expect(existsSync(file)).toBe(false)
    expect(await keepToken(file, grafana)).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await keepToken(file, backup)).toBe(true)
    expect(readTokens(file)).toEqual([grafana, backup])
    expect(await keepToken(file, { ...backup, id: '000000000000' })).toBe(false)
    expect(await dropToken(file, 'grafana')).toBe(true)
    expect(readTokens(file)).toEqual([backup])
    expect(await dropToken(file, 'backup')).toBe(true)
    expect(readTokens(file)).toEqual([])
    expect(await keepToken(file, grafana)).toBe(true)
    expect(readdirSync(folder.at('data'))).toEqual(['tokens.yaml'])
  })

  test('keeps digits for what they are', async () => {
    const file = configFolder().at('config/tokens.yaml')
    const digits = {
      ...grafana,
      name: '007',
      id: '000000012345',
      salt: '1e'.padEnd(32, '0'),
      hash: '1'.repeat(64),
    }
    expect(await keepToken(file, digits)).toBe(true)
    expect(readTokens(file)).toEqual([digits])
    expect(await dropToken(file, '007')).toBe(true)
  })

  test('keeps its comments and its mode', async () => {
    const file = configFolder().at('config/tokens.yaml')
    await keepToken(file, grafana)
    writeFileSync(file, `# ours\n${readFileSync(file, 'utf8')}# the end\n`)
    chmodSync(file, 0o640)
    await keepToken(file, backup)
    await dropToken(file, 'grafana')
    expect(readFileSync(file, 'utf8')).toMatch(/^# ours\n[\s\S]*backup[\s\S]*# the end\n/)
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('is left as it is while another command writes it', async () => {
    const folder = configFolder()
    const file = folder.at('config/tokens.yaml')
    await keepToken(file, grafana)
    const all = ['one', 'two', 'three', 'four'].map((name, at) =>
      keepToken(file, { ...grafana, name, id: `00000000000${at}` }),
    )
    expect(await Promise.all(all)).toEqual([true, true, true, true])
    expect(readTokens(file)).toHaveLength(5)
  })

  test.each<[string, string]>([
    ['tokens: 1', 'expected a list of tokens'],
    ['tokens: [1]', 'expected a mapping of name, id'],
    [JSON.stringify({ tokens: [{ ...grafana, role: 'root' }] }), 'one of viewer, administrator'],
    [JSON.stringify({ tokens: [{ ...grafana, name: 'local operator' }] }), 'a name of letters'],
    [JSON.stringify({ tokens: [{ ...grafana, hash: 'abc' }] }), '64 hex digits'],
    [JSON.stringify({ tokens: [{ ...grafana, more: 1 }] }), 'unknown key'],
    [JSON.stringify({ tokens: [grafana, { ...backup, id: grafana.id }] }), 'stands in the list twice'],
    [JSON.stringify({ tokens: [grafana, { ...backup, name: grafana.name }] }), 'stands in the list twice'],
    [
      JSON.stringify({ tokens: [{ ...grafana, scrypt: { ...grafana.scrypt, cost: 2 ** 30 } }] }),
      'one of 16384',
    ],
    [JSON.stringify({ tokens: [{ ...grafana, scrypt: { ...grafana.scrypt, cost: 2 } }] }), 'one of 16384'],
    [JSON.stringify({ tokens: [{ ...grafana, scrypt: { ...grafana.scrypt, blockSize: 999 } }] }), '8 to 16'],
    ['{', ''],
  ])('that is wrong is good for nothing: %s', async (text, expected) => {
    const file = configFolder({ 'config/tokens.yaml': text }).at('config/tokens.yaml')
    expect(problemsOf(file).join('\n')).toContain(expected)
    expect(problemsOf(file)).not.toEqual([])
    await expect(keepToken(file, { ...grafana, name: 'new', id: 'ffffffffffff' })).rejects.toThrow(
      ConfigError,
    )
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  test('that is no file is told', async () => {
    const folder = configFolder()
    expect(problemsOf(folder.at('config'))).toEqual([expect.stringContaining('is not a regular file')])
    await expect(keepToken(folder.at('config/gatehouse.yaml/x'), grafana)).rejects.toThrow(FileEditError)
  })

  test('takes no name that could be taken for another', () => {
    expect(['grafana', 'a.b-c_D9', 'x'.repeat(64)].filter(isTokenName)).toHaveLength(3)
    expect(['', 'local operator', '-x', 'a/b', 'ü', 'x'.repeat(65), 'a\n'].filter(isTokenName)).toEqual([])
  })
})
