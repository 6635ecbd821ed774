import type { GatewayEvent } from '../src/telemetry/events.ts'
import type { Log, LogFields } from '../src/telemetry/log.ts'

type Authenticated = Extract<GatewayEvent, { readonly event: 'stream.authenticated' }>

/** Tells what happens, a line at a time. */
export class Transcript {
  #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  heading(text: string): void {
    this.#print(`\n=== ${text} ${'='.repeat(Math.max(0, 96 - text.length))}`)
  }

  /** The last line: how the gateways close is not told. */
  end(text: string): void {
    this.heading(text)
    this.#print = () => undefined
  }

  say(text: string): void {
    this.#print(text)
  }

  /** What passed on a connection, in the clear. */
  wire(connection: number, line: string): void {
    this.#print(`  [${connection}] ${line}`)
  }

  /** The log of one gateway, in words. */
  log(owner: string): Log {
    const told =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        const { local, reason, err } = fields
        const detail = reason ?? err
        this.#print(
          `      ${local ?? owner}, ${level}: ${message}${detail === undefined ? '' : `: ${detail}`}`,
        )
      }
    return {
      event: event => this.#event(owner, event),
      debug: () => undefined,
      info: told('info'),
      warn: told('warning'),
      error: told('error'),
    }
  }

  #event(owner: string, event: GatewayEvent): void {
    switch (event.event) {
      case 'stream.authenticated':
        return this.#print(`  ✔   ${describe(event)}`)
      case 'stream.refused':
        return this.#print(`  ✘   ${event.local ?? owner} refused: ${event.condition}, ${event.reason}`)
      case 'stanza.refused':
        return this.#print(`  ✘   ${event.local ?? owner} refused a stanza: ${event.rule}`)
      case 'internal.connected':
        return this.#print(`      ${owner}: the server inside has taken the component ${event.domain}`)
      case 'listening':
        return this.#print(`      ${owner} listens on ${event.address} port ${event.port}`)
    }
  }
}

function describe({ direction, local, remote, method, tls, certificate }: Authenticated): string {
  const who =
    direction === 'in' ? `${local} has authenticated ${remote}` : `${local} has proven itself to ${remote}`
  const how =
    tls === null ? 'in clear text' : `${tls.version}, the certificate of ${remote} is ${certificate}`
  return `${who}: ${method} (${how})`
}
