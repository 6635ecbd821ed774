#!/usr/bin/env node
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
})
