import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { matrixRows } from '../../src/policy/matrix.ts'
import { ServerProcess } from '../support/server-process.ts'

const checkout = new URL('../..', import.meta.url).pathname
const npm = promisify(execFile)

/** What a user of the package has: a Node on the path, and nothing of this checkout. */
const env = { ...process.env, PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) }

/** The Node that the distribution has, which may be any. */
const ofTheMachine = '/usr/bin/node'

describe('the package that npm pack makes', () => {
  const elsewhere = mkdtempSync(join(tmpdir(), 'gatehouse-pack-'))
  const installed = join(elsewhere, 'node_modules', manifest.name)
  const gatehouse = join(elsewhere, 'node_modules', '.bin', 'gatehouse')
  afterAll(() => rmSync(elsewhere, { recursive: true, force: true }))

  beforeAll(async () => {
    await npm('npm', ['pack', '--pack-destination', elsewhere], { cwd: checkout })
    writeFileSync(join(elsewhere, 'package.json'), '{ "private": true }')
    const tarball = `./${manifest.name}-${manifest.version}.tgz`
    const quietly = ['--omit=dev', '--prefer-offline', '--no-audit', '--no-fund']
    await npm('npm', ['install', ...quietly, tarball], { cwd: elsewhere })
  })

  test('holds compiled JavaScript and what an operator reads, and nothing to develop with', async () => {
    const files = await readdir(installed, { recursive: true })
    expect(files).toEqual(expect.arrayContaining(['dist/main.js', 'LICENSE', 'config/gatehouse.yaml']))
    expect(files).toEqual(expect.arrayContaining(manifest.man))
    expect(files.filter(file => /\.ts$|^test|^src/.test(file))).toEqual([])
    const packages = await readdir(join(elsewhere, 'node_modules'))
    expect(packages).toEqual(expect.arrayContaining(['pino', 'zod']))
    expect(packages.filter(name => Object.keys(manifest.devDependencies).includes(name))).toEqual([])
  })

  test.each([
    { argv: ['--version'], prints: `${manifest.version}\n` },
    { argv: ['matrix', '--json'], prints: `${JSON.stringify(matrixRows, undefined, 2)}\n` },
  ])('runs gatehouse $argv', async ({ argv, prints }) => {
    expect((await npm(gatehouse, argv, { cwd: elsewhere, env })).stdout).toBe(prints)
  })

  test('says which Node it needs where the one on the path is older', context => {
    const version = spawnSync(ofTheMachine, ['--version'], { encoding: 'utf8' }).stdout ?? ''
    if (!/^v(\d|1\d|2[0-3])\./.test(version)) {
      return context.skip(
        `${ofTheMachine} is ${version.trim() || 'not there'}; to see it, it has to be older than 24`,
      )
    }
    const path = { ...env, PATH: [dirname(ofTheMachine), '/bin'].join(delimiter) }
    const ended = spawnSync(gatehouse, ['--version'], { cwd: elsewhere, env: path, encoding: 'utf8' })
    const here = `${version.trim()} (PATH: ${realpathSync(ofTheMachine)})`
    expect([ended.status, ended.stdout, ended.stderr]).toEqual([
      1,
      '',
      `gatehouse needs Node 24 or later; this is ${here}\n`,
    ])
  })

  test('runs the daemon with the shipped configuration', async () => {
    await mkdir(join(elsewhere, 'certs'))
    await cp(join(installed, 'config'), join(elsewhere, 'config'), { recursive: true })
    const file = join(elsewhere, 'config', 'gatehouse.yaml')
    const anyPort = readFileSync(file, 'utf8').replace(/port: 52[67]\d/g, 'port: 0')
    writeFileSync(file, `${anyPort}\nadmin: { port: 0 }\n`)
    const daemon = new ServerProcess('gatehouse', gatehouse, ['run'], { cwd: elsewhere, env })
    try {
      await daemon.first('ready', line => line.includes('"event":"ready"') || undefined, 20_000)
    } finally {
      expect(await daemon.stop(15_000)).toBe(0)
    }
  })
})
