import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { matrixRows } from '../../src/policy/matrix.ts'

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
