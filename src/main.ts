#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { runCommandLine } from './cli/arguments.ts'

process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  onSignal: (signal, listener) => {
    process.on(signal, listener)
    return () => process.off(signal, listener)
  },
  figures: process,
  ask: process.stdin.isTTY ? ask : undefined,
})

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
