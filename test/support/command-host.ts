import { PassThrough } from 'node:stream'
import { runCommandLine } from '../../src/cli/arguments.ts'
import type { Host } from '../../src/cli/host.ts'

/** What a command printed, and its exit status. */
export type CommandResult = { readonly status: number; readonly out: string; readonly err: string }

/** Runs one command line in this process, with an environment of its own; `ask` is the operator at a terminal, if any. */
export async function runCommand(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  ask?: (question: string) => Promise<string>,
  more: Pick<Host, 'isColoured' | 'input'> = {},
): Promise<CommandResult> {
  let out = ''
  let err = ''
  const status = await runCommandLine(argv, {
    env,
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
    onSignal: () => () => undefined,
    stdout: new PassThrough().resume(),
    leave: () => undefined,
    figures: process,
    pid: process.pid,
    goOnAs: () => false,
    ask,
    ...more,
  })
  return { status, out, err }
}
