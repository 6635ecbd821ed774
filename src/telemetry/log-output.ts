import { fstatSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { Metrics } from './metrics.ts'

/** Where log lines go: never waited for, and bounded in what waits for a slow reader or for space on a disk. */
export type LogOutput = {
  /** Takes one line with its end; one too many is lost. */
  write(line: string): void
  /** Lines that were lost. */
  readonly lost: number
  /** Waits until all is written. @returns false where it is not within `mostMs` */
  flush(mostMs: number): Promise<boolean>
}

/** Standard output, or what stands in for it; `fd` is the file descriptor it writes to. */
export type StandardOutput = Writable & { readonly fd?: number | undefined }

/** What takes bytes. */
type Sink = {
  write(text: string): void
  /** How many bytes wait still, after another try to be rid of them. */
  waitingBytes(): number
  flush(mostMs: number): Promise<boolean>
}

/**
 * Opens the output of the log. Where lines were lost and more can be written, a line says how many.
 * @param mostBytes may wait to be written
 */
export function openLogOutput(stdout: StandardOutput, mostBytes: () => number): LogOutput {
  const sink = stdout.fd !== undefined && isFile(stdout.fd) ? fileSink(stdout.fd) : streamSink(stdout)
  let lost = 0
  let untold = 0
  return {
    write: line => {
      const gap = untold === 0 ? '' : gapOf(untold)
      if (sink.waitingBytes() + Buffer.byteLength(gap + line) > mostBytes()) {
        lost += 1
        untold += 1
        return
      }
      untold = 0
      sink.write(gap + line)
    },
    get lost() {
      return lost
    },
    flush: mostMs => sink.flush(mostMs),
  }
}

/** Adds the metric of what was lost. */
export function countLostLines(metrics: Metrics, output: LogOutput): void {
  metrics.counter(
    'gatehouse_log_lines_lost_total',
    'Log lines that nobody read in time, or no disk took.',
    () => [{ value: output.lost }],
  )
}

function gapOf(lines: number): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lines, msg: 'log lines were lost' })}\n`
}

/** A file, written at once. What a full disk does not take waits for the next line. */
function fileSink(fd: number): Sink {
  let waiting = Buffer.alloc(0)
  const push = () => {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSync(fd, waiting))
    } catch {
      // It is kept, and tried again: a full disk is no reason to cut streams.
    }
  }
  return {
    write: text => {
      waiting = Buffer.concat([waiting, Buffer.from(text)])
      push()
    },
    waitingBytes: () => {
      push()
      return waiting.length
    },
    flush: async () => {
      push()
      return waiting.length === 0
    },
  }
}

/** A pipe, a socket or a terminal. A reader who has gone away takes nothing any more. */
function streamSink(stream: Writable): Sink {
  let isGone = false
  stream.on('error', () => {
    isGone = true
  })
  return {
    write: text => stream.write(text),
    waitingBytes: () => (isGone || !stream.writable ? Number.POSITIVE_INFINITY : stream.writableLength),
    flush: async mostMs => {
      if (isGone || stream.writableLength === 0) return true
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const timer = setTimeout(() => resolve(false), mostMs)
      stream.write('', () => resolve(true))
      return promise.finally(() => clearTimeout(timer))
    },
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false
  }
}
