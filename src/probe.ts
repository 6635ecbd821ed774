import { setTimeout as wait } from 'node:timers/promises'
import { type Probe, ProbeRefused } from './admin/journal.ts'
import type { FederationEnvironment } from './federation/environment.ts'
import { EstablishError, establish } from './federation/establish.ts'
import { silent } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'
import type { Domain } from './xmpp/address.ts'
import type { AttemptRecord } from './xmpp/attempt.ts'

/** A probe takes no longer than this; each of its steps has the time limit of the configuration besides. */
const longestMs = 120_000

/** What a probe needs besides what real streams have. */
export type ProbeSurroundings = {
  /** Judges a peer's certificate, and does not count that as shown. */
  readonly judge: FederationEnvironment['judge']
  /** A probe of that partner domain has succeeded. */
  readonly succeeded: (remote: Domain) => void
}

/**
 * Makes a live attempt to authenticate with a partner, on a stream of its own that carries nothing and is closed at once. It asks DNS
 * anew. It is no part of the log and the metrics of real streams, of their limits and their pauses; the journal has it, as a probe. One
 * that fails leaves everything as it was; by one that succeeds, real streams learn what DNS says now.
 */
export function proberOf(real: FederationEnvironment, { judge, succeeded }: ProbeSurroundings): Probe {
  return async ({ local, remote }, onStep, signal) => {
    const from = local ?? real.mainDomain()
    if (!real.isLocal(from)) throw new ProbeRefused(`${from} is not a local domain`)
    if (real.isLocal(remote)) throw new ProbeRefused(ownDomain(remote))
    const peer = real.peerFor(remote)
    if (peer === undefined) return notAPartner(from, remote)
    const found = Promise.withResolvers<AttemptRecord>()
    const { dialer } = real
    const apart: FederationEnvironment = {
      ...real,
      dialer: dialer.afresh(),
      judge,
      log: { ...silent, error: real.log.error },
      metrics: new Metrics(),
      admission: { countOutbound: () => () => {} },
      record: attempt => {
        // At the end of its stream it comes once more.
        found.resolve(attempt)
        real.record(attempt)
      },
    }
    const task = { pair: { local: from, remote }, peer, purpose: 'probe', step: onStep } as const
    const owner = { drained() {}, keyAnswer() {}, closing() {}, closed() {} }
    const limit = AbortSignal.timeout(longestMs)
    try {
      const session = await establish(task, apart, owner, AbortSignal.any([signal, limit]))
      dialer.learnFrom(apart.dialer)
      succeeded(remote)
      session.close(undefined, { code: 'closed-by-operator', reason: 'the probe is over' })
      await session.gone
    } catch (error) {
      if (limit.aborted) throw new ProbeRefused(`the probe was given up after ${longestMs / 1000} s`)
      if (!(error instanceof EstablishError)) throw error
    }
    return found.promise
  }
}

const everyMs = 2000
const mostAtOnce = 4

/**
 * Keeps operators from flooding a partner: one probe of a partner at a time, of all four at a time. One that comes within 2 s of the
 * last waits for that to pass: whoever has mended something probes again at once.
 */
export function boundedProbe(
  probe: Probe,
  primaryOf: (remote: Domain) => Domain | undefined,
  pause: (ms: number) => Promise<void> = ms => wait(ms, undefined, { ref: false }),
): Probe {
  const busy = new Set<string>()
  const pauses = new Map<string, Promise<void>>()
  return async (pair, onStep, signal) => {
    const partner = primaryOf(pair.remote) ?? pair.remote
    const atLatest = `${longestMs / 1000} s at the latest`
    if (busy.has(partner))
      throw new ProbeRefused(
        `somebody else probes this partner now: try again when that is over, in ${atLatest}`,
      )
    if (busy.size >= mostAtOnce)
      throw new ProbeRefused(
        `${mostAtOnce} probes at a time are enough: try again when one is over, in ${atLatest}`,
      )
    busy.add(partner)
    try {
      await pauses.get(partner)
      signal.throwIfAborted()
      return await probe(pair, onStep, signal)
    } finally {
      busy.delete(partner)
      const paused = pause(everyMs).then(() => {
        if (pauses.get(partner) === paused) pauses.delete(partner)
      })
      pauses.set(partner, paused)
    }
  }
}

function ownDomain(remote: string): string {
  return `${remote} is one of our own domains, and no partner: for its records ask gatehouse dns, for its certificate gatehouse cert check`
}

function notAPartner(local: string, remote: string): AttemptRecord {
  const reason = `${remote} is not in the partner list; nothing was tried`
  return {
    id: '',
    direction: 'out',
    purpose: 'probe',
    local,
    remote,
    claimed: false,
    started: new Date().toISOString(),
    durationMs: 0,
    steps: [],
    outcome: { is: 'failed', code: 'not-a-partner', reason },
    closed: null,
  }
}
