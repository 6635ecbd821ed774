import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { matrixRows } from '../../src/policy/matrix.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'
import { exported } from '../support/partner-command.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

test.each([
  { argv: ['matrix', '--json'], status: 0, says: /^$/ },
  {
    argv: ['check', '--config', '/nowhere/gatehouse.yaml'],
    status: 1,
    says: /^\/nowhere\/gatehouse.yaml:1:1: /,
  },
  { argv: ['chek'], status: 2, says: /unknown command 'chek'/ },
])('the program ends by itself, with the exit status of its command: $argv', ({ argv, status, says }) => {
  const ended = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', timeout: 15_000 })
  expect(ended.status).toBe(status)
  expect(ended.stderr).toMatch(says)
  if (status === 0) expect(JSON.parse(ended.stdout)).toStrictEqual(matrixRows)
})

test.each([
  ['stdout', ['matrix'], 0],
  ['stderr', ['chek'], 2],
] as const)(
  'a command whose %s nobody reads any more, as with head, ends quietly',
  async (stream, argv, status) => {
    const child = spawn(process.execPath, [main, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
    child[stream].destroy()
    const said = text(stream === 'stdout' ? child.stderr : child.stdout)
    expect(await once(child, 'exit')).toEqual([status, null])
    expect(await said).toBe('')
  },
)

test.skipIf(!existsSync('/dev/full'))('a command whose output no disk takes says so, and fails', () => {
  const full = openSync('/dev/full', 'w')
  onTestFinished(() => closeSync(full))
  const { status, stderr } = spawnSync(process.execPath, [main, 'matrix'], {
    encoding: 'utf8',
    stdio: ['ignore', full, 'pipe'],
  })
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'gatehouse: standard output cannot be written: ENOSPC: no space left on device, write\n',
  })
})

test.each([
  ['-', '%s <export.json'],
  ['-', 'cat export.json | %s'],
  ['/dev/stdin', 'cat export.json | %s'],
  ['<(cat export.json)', '%s'],
])('an export is read from %s: %s', (file, how) => {
  const folder = configFolder({ 'export.json': JSON.stringify([exported('a.b')]) })
  const command = `${process.execPath} ${main} partner import ${file} -c ${folder.file}`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', how.replace('%s', command)], {
    cwd: folder.at(''),
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^a\.b: added: /)
})

test('the daemon goes on where nobody reads its log any more', async () => {
  const { file } = configFolder({
    'config/gatehouse.yaml': `${leastConfig}listen: [{ address: 127.0.0.1, port: 0 }]\nadmin: { port: 0 }\n`,
  })
  const daemon = spawn(process.execPath, [main, 'run', '--config', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  onTestFinished(() => void daemon.kill('SIGKILL'))
  let log = ''
  for await (const chunk of daemon.stdout) {
    log += String(chunk)
    if (log.includes('"event":"ready"')) break // which closes the pipe
  }
  for (let times = 0; times < 2; times += 1)
    expect(await runCommand(['reload', '--config', file])).toMatchObject({ status: 0 })
  daemon.kill('SIGTERM')
  expect(await once(daemon, 'exit')).toEqual([0, null])
})
