import type { Owner } from '../files/own-files.ts'
import type { StandardOutput } from '../telemetry/log-output.ts'
import type { ProcessFigures } from '../telemetry/process-metrics.ts'

/** The process around a command; `main.ts` alone knows the real one. */
export type Host = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Standard input, for a command that reads it; undefined = there is none. */
  readonly input?: () => AsyncIterable<Uint8Array>
  /** Does it show colours? A terminal does, unless NO_COLOR says otherwise; undefined = neither does. */
  readonly isColoured?: (stream: 'out' | 'err') => boolean
  /** What the daemon writes its log to. */
  readonly stdout: StandardOutput
  /** Ends the process as soon as its exit status is set, whatever still waits to be written. */
  readonly leave: () => void
  /** Calls the listener at each of these signals, until the returned function is called. */
  readonly onSignal: (signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP', listener: () => void) => () => void
  readonly figures: ProcessFigures
  readonly pid: number
  /**
   * Goes on as another user of the system, where this one is root: what belongs to the user that the gateway runs as is touched with no
   * more rights than he has, whatever links he may have put there.
   * @returns false where nothing changes
   */
  readonly goOnAs: (owner: Owner) => boolean
  /** Asks the operator for one line; undefined where no terminal is there to answer. */
  readonly ask?: ((question: string) => Promise<string>) | undefined
}

/** What every command may be told. */
export type CommandOptions = {
  /** The configuration file. */
  readonly config: string
  /** Machine output. */
  readonly json: boolean
}
