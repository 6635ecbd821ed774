import type { Slice } from '../xml/reader.ts'
import type { Destination, Pausable, Run } from '../xml/run.ts'
import type { Domain } from '../xmpp/address.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'

/** Where the stanzas go that the inside has for one partner domain. */
export type InsideSink = { stanza(slice: Slice): void; flush(): void }

/** What a connector needs of the gateway around it. */
export type InsideEnvironment = {
  readonly openSink: (
    source: Pausable & { readonly declarations: ReadonlyMap<string, string> },
    remote: Domain,
  ) => InsideSink
  /** Hears of stanzas that the inside has taken. */
  readonly taken: (run: Run) => void
  /** Takes back stanzas that the inside did not take. */
  readonly bounce: (run: Run, why: { readonly condition: StanzaCondition; readonly text: string }) => void
  readonly isLocal: (domain: Domain) => boolean
}

/** The way to the server inside, whatever it is. */
export type Connector = {
  /** Serves just these partner domains from now on. */
  setPartners(domains: readonly Domain[]): void
  /** Where stanzas from a partner domain go. */
  destination(remote: Domain): Destination
  /** Stanzas that wait for the inside. */
  readonly waiting: number
  /** What keeps it from serving, in words; empty = nothing. */
  readonly faults: readonly string[]
  /** What keeps it from serving one partner domain; undefined = nothing. */
  faultOf(remote: Domain): string | undefined
  /** True once everything was up, and while anything still is (contract §9, /readyz). */
  readonly isReady: boolean
  /**
   * First step of a stop: nothing waits for the inside any more, what does bounces. Resolves once the inside has taken what was
   * sent to it; what it does not take within `ms` bounces too.
   */
  settle(ms: number): Promise<void>
  /** Sends what is queued and closes; resolves when that is done, after `ms` at the latest. */
  stop(ms: number): Promise<void>
}
