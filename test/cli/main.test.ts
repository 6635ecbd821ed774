import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { matrixRows } from '../../src/policy/matrix.ts'

const main = new URL('../../src/main.ts', import.meta.url).pathname

test.each([
  [['matrix', '--json'], 0],
  [['check', '--config', '/nowhere/gatehouse.yaml'], 1],
  [['chek'], 2],
])('the program ends by itself, with the exit status of its command: %j', (argv, status) => {
  const ended = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', timeout: 15_000 })
  expect(ended.status).toBe(status)
  if (status === 0) expect(JSON.parse(ended.stdout)).toStrictEqual(matrixRows)
  else
    expect([ended.stdout, ended.stderr]).toEqual([
      '',
      expect.stringMatching(/gatehouse.yaml:1:1|unknown command/),
    ])
})
