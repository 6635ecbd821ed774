import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Log } from '../telemetry/log.ts'
import type { Host } from './host.ts'

/** The service manager that this process was started by, systemd for one; it hears how the daemon is (sd_notify(3)). */
export type ServiceManager = {
  /** The daemon is up. From now on it is told its state, and that it lives, as often as it wants. */
  ready(): void
  /** A stop has begun. */
  stopping(): void
  /** Nothing more is told. */
  close(): void
}

/** Hands variables such as `READY=1` to the service manager. @throws {Error} when they cannot be handed over, or are not wanted any more */
export type Notify = (variables: readonly string[], isOver: AbortSignal) => Promise<unknown>

type Caller = Pick<Host, 'env' | 'pid'>

const noManager: ServiceManager = { ready() {}, stopping() {}, close() {} }

/** How often the daemon's state is looked at; told where it has changed, in ms. */
const lookEveryMs = 5000

/**
 * The service manager of this process; where there is none, one that hears nothing.
 * @param state the daemon's state now, a line for people
 */
export function serviceManagerOf(
  host: Caller,
  state: () => string,
  log: Log,
  notify: Notify = (variables, isOver) => runNotify(host.env, variables, isOver),
): ServiceManager {
  if (!host.env['NOTIFY_SOCKET']) return noManager
  const over = new AbortController()
  let hasFailed = false
  let isBusy = false
  let last: Promise<void> = Promise.resolve()
  let timers: readonly NodeJS.Timeout[] = []
  let told = ''
  // One after the other: what is told last must arrive last.
  const tell = (...variables: readonly string[]) => {
    last = last.then(async () => {
      isBusy = true
      try {
        await notify(variables, over.signal)
        hasFailed = false
        told = variables.find(variable => variable.startsWith('STATUS=')) ?? told
      } catch (error) {
        if (!hasFailed && !over.signal.aborted)
          log.warn('systemd cannot be told how the gateway is', { reason: reasonOf(error) })
        hasFailed = true
      } finally {
        isBusy = false
      }
    })
  }
  const watchdogMs = watchdogOf(host)
  // In all that is told: whoever is busy with one does not miss another.
  const beat = watchdogMs === undefined ? [] : ['WATCHDOG=1']
  const status = () => `STATUS=${shortened(state().replaceAll(/\s+/g, ' '))}`
  const unlessBusy = (work: () => void) => () => {
    if (!isBusy) work()
  }
  const look = unlessBusy(() => {
    const now = status()
    if (now === told) return
    tell(...beat, now)
  })
  const stop = () => {
    for (const timer of timers) clearInterval(timer)
  }
  return {
    ready: () => {
      // By itself: that it arrives must not depend on anything.
      tell('READY=1')
      tell(status())
      timers = [setInterval(look, lookEveryMs)]
      if (watchdogMs === undefined) return
      // By a timer of the event loop that serves the streams: where that stands still, nothing is told.
      const live = unlessBusy(() => tell(...beat))
      timers = [...timers, setInterval(live, watchdogMs / 2)]
    },
    stopping: () => {
      stop()
      tell('STOPPING=1', 'STATUS=stopping: what was accepted is delivered or bounced')
    },
    close: () => {
      stop()
      over.abort()
    },
  }
}

/** systemd passes over a whole message of 4096 bytes or more, and a state may name hundreds of partners. */
const mostStateBytes = 1000

function shortened(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= mostStateBytes) return text
  // Not within a character.
  return `${bytes
    .subarray(0, mostStateBytes)
    .toString()
    .replace(/\uFFFD$/, '')}… (gatehouse health tells all)`
}

/** How long the service manager waits for a sign of life before it ends this process, in ms (sd_watchdog_enabled(3)). */
function watchdogOf({ env, pid }: Caller): number | undefined {
  const { WATCHDOG_USEC: microseconds = '', WATCHDOG_PID: meant = String(pid) } = env
  return /^[1-9]\d{0,14}$/.test(microseconds) && meant === String(pid)
    ? Number(microseconds) / 1000
    : undefined
}

const patienceMs = 10_000

/** Node has no Unix datagrams; the program that comes with systemd sends them, with nothing of our environment but the address. */
function runNotify(
  { NOTIFY_SOCKET, PATH }: Host['env'],
  variables: readonly string[],
  signal: AbortSignal,
): Promise<unknown> {
  const env = { NOTIFY_SOCKET, PATH }
  return promisify(execFile)('systemd-notify', variables, { env, signal, timeout: patienceMs })
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isAbsent = 'code' in error && error.code === 'ENOENT'
  return isAbsent ? 'systemd-notify is not on the path; it comes with systemd' : error.message
}
