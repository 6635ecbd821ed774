import type { GatewayEvent } from '../../src/telemetry/events.ts'
import type { Log, LogFields } from '../../src/telemetry/log.ts'

/** A log that keeps what it is told, for a test to read. */
export type MemoryLog = Log & {
  readonly events: GatewayEvent[]
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[]
}

/** Makes a log that remembers. */
export function memoryLog(): MemoryLog {
  const events: GatewayEvent[] = []
  const lines: MemoryLog['lines'] = []
  const keep =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      lines.push({ level, message, fields })
    }
  return {
    events,
    lines,
    event: event => {
      events.push(event)
    },
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  }
}

/** A log that forgets at once. */
export const silentLog: Log = {
  event: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
