#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'
import { runCommandLine } from './cli/arguments.ts'

// So it stays where a command ends before its time, because nobody reads what it says.
process.exitCode = 1
process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: text => watched(process.stdout, () => process.exit()).write(text),
  err: text => watched(process.stderr, () => {}).write(text),
  isColoured: stream =>
    styleText('red', ' ', { stream: stream === 'out' ? process.stdout : process.stderr }) !== ' ',
  stdout: process.stdout,
  leave: () => void setImmediate(() => process.exit()),
  onSignal: (signal, listener) => {
    process.on(signal, listener)
    return () => process.off(signal, listener)
  },
  figures: process,
  pid: process.pid,
  ask: process.stdin.isTTY ? ask : undefined,
})

/**
 * Sees to it that a reader who goes away, as `head` does, is no error with a stack trace. Only what a command writes to is watched: the
 * daemon's log goes on without a reader.
 */
function watched(stream: NodeJS.WriteStream, unread: () => void): NodeJS.WriteStream {
  if (stream.listenerCount('error') > 0) return stream
  return stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    unread()
  })
}

// On standard error: standard output may be going into a file. The end of input is an empty line, which agrees to nothing.
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const ended = new Promise<string>(resolve => terminal.once('close', () => resolve('')))
  try {
    return await Promise.race([terminal.question(question), ended])
  } finally {
    terminal.close()
  }
}
