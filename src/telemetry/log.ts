import { type DestinationStream, pino } from 'pino'
import { eventLines, type GatewayEvent } from './events.ts'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Data of a log line; an exception goes under `err`. */
export type LogFields = Readonly<Record<string, unknown>>

/** What every part writes its log through. Messages are constant, data goes into fields. */
export type Log = {
  readonly event: (event: GatewayEvent) => void
  readonly debug: (message: string, fields?: LogFields) => void
  readonly info: (message: string, fields?: LogFields) => void
  readonly warn: (message: string, fields?: LogFields) => void
  readonly error: (message: string, fields?: LogFields) => void
}

/** A log that tells nothing. */
export const silent: Log = { event() {}, debug() {}, info() {}, warn() {}, error() {} }

export type LogOptions = {
  readonly level: LogLevel
  /** True lets fields named `body` through; for lawful audit only. */
  readonly messageBodies?: boolean
  /** Where lines go. */
  readonly destination: DestinationStream
}

// The names under which a secret could reach a log line; a last guard behind not logging them at all.
const secretNames = [
  'secret',
  'componentSecret',
  'dialbackSecret',
  'password',
  'passphrase',
  'key',
  'keyPem',
  'dialbackKey',
  'privateKey',
  'token',
  'authorization',
]

/**
 * Opens the log: one JSON object a line. Fields named like a secret are blotted out, three levels deep.
 */
export function createLog(options: LogOptions): Log {
  const hidden = options.messageBodies === true ? secretNames : [...secretNames, 'body']
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: hidden.flatMap(name => [name, `*.${name}`, `*.*.${name}`]), censor: '[hidden]' },
    },
    options.destination,
  )
  return {
    event: event => {
      const { level, message } = eventLines[event.event]
      logger[level](event, message)
    },
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
  }
}
