import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openLogOutput } from '../../src/telemetry/log-output.ts'

/** A reader that takes nothing until it is told to; what it took. */
function slowReader() {
  const taken: string[] = []
  let go = () => {}
  const gate = new Promise<void>(resolve => {
    go = resolve
  })
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string, _, done) => {
      void gate.then(() => {
        taken.push(chunk)
        done()
      })
    },
  })
  return { stream, taken, reads: go }
}

describe('the output of the log', () => {
  test('never waits for its reader: what is too much is lost, counted, and told once it reads again', async () => {
    const { stream, taken, reads } = slowReader()
    const output = openLogOutput(stream, () => 20)
    for (const line of ['123456789\n', 'abcdefghi\n', 'lost\n', 'lost\n']) output.write(line)
    expect(output.lost).toBe(2)
    expect(await output.flush(1)).toBe(false)
    reads()
    expect(await output.flush(10_000)).toBe(true)
    expect(taken.join('')).toBe('123456789\nabcdefghi\n')

    const roomy = openLogOutput(stream, () => 1000)
    expect(roomy.lost).toBe(0)
    output.write('x\n') // still too long with what is to be told
    expect(output.lost).toBe(3)
  })

  test('tells in its place how many lines are missing', async () => {
    const { stream, taken, reads } = slowReader()
    let mostBytes = 10
    const output = openLogOutput(stream, () => mostBytes)
    for (const line of ['123456789\n', 'lost\n', 'lost\n']) output.write(line)
    reads()
    await output.flush(10_000)
    mostBytes = 1000
    for (const line of ['next\n', 'last\n']) output.write(line)
    await output.flush(10_000)
    const lines = taken.join('').split('\n')
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ level: 'warn', lines: 2, msg: 'log lines were lost' })
    expect(lines.toSpliced(1, 1)).toEqual(['123456789', 'next', 'last', ''])
  })

  test('goes on without a reader', async () => {
    const stream = new PassThrough()
    const output = openLogOutput(stream, () => 1000)
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await new Promise(resolve => setImmediate(resolve))
    output.write('line\n')
    expect(output.lost).toBe(1)
    expect(await output.flush(10_000)).toBe(true)
  })

  test('writes to a file at once', () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-log-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const fd = openSync(join(folder, 'log'), 'a')
    onTestFinished(() => closeSync(fd))
    const output = openLogOutput(Object.assign(new PassThrough(), { fd }), () => 1000)
    for (const line of ['one\n', 'zwei ä\n']) output.write(line)
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('one\nzwei ä\n')
  })
})
