#!/usr/bin/env node

const oldestNode = 24
if (Number.parseInt(process.versions.node, 10) < oldestNode) {
  const here = `${process.version} (PATH: ${process.execPath})`
  process.stderr.write(`gatehouse needs Node ${oldestNode} or later; this is ${here}\n`)
  process.exit(1)
}
// Only now: an older Node fails on what these import, before a line of this file has run.
const { createInterface } = await import('node:readline/promises')
const { styleText } = await import('node:util')
const { runCommandLine } = await import('./cli/arguments.ts')

// So it stays where a command ends before its time, because nobody reads what it says.
process.exitCode = 1
process.exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: text => watched(process.stdout, leaveUnread).write(text),
  err: text => watched(process.stderr, () => {}).write(text),
  input: () => process.stdin,
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
  goOnAs: ({ uid, gid }) => {
    if (process.geteuid?.() !== 0 || uid === 0) return false
    try {
      ;(process as { initgroups?: (uid: number, gid: number) => void }).initgroups?.(uid, gid)
    } catch {
      process.setgroups?.([gid]) // a user without a name has no other groups
    }
    process.setegid?.(gid)
    process.seteuid?.(uid)
    return true
  },
  ask: process.stdin.isTTY ? ask : undefined,
})

/**
 * Sees to it that what nobody reads any more, as with `head`, or no disk takes, brings no stack trace. Only what a command writes to is watched: the
 * daemon's log goes on without a reader.
 */
function watched(
  stream: NodeJS.WriteStream,
  unread: (error: NodeJS.ErrnoException) => void,
): NodeJS.WriteStream {
  return stream.listenerCount('error') > 0 ? stream : stream.on('error', unread)
}

/** A reader who goes away has read what he wanted; that a disk is full is told. */
function leaveUnread(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`gatehouse: standard output cannot be written: ${error.message}\n`)
  process.exit(1)
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
