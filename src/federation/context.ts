import { dialbackKey, isDialbackKey } from '../identity/dialback-key.ts'
import type { InboundContext } from '../negotiation/inbound-stream.ts'
import type { OutboundContext } from '../negotiation/outbound-stream.ts'
import type { Pair } from '../negotiation/stream.ts'
import type { Attempt } from '../telemetry/attempt.ts'
import { toUnicode } from '../xmpp/address.ts'
import type { Purpose } from '../xmpp/attempt.ts'
import type { FederationEnvironment, Peer } from './environment.ts'

/** What one stream of ours is for. */
export type OutboundTask = {
  readonly pair: Pair
  readonly peer: Peer
  readonly purpose: Purpose
  /** What is taken down of it. */
  readonly attempt: Attempt
  readonly tryExternal: boolean
}

/** What the machine of an inbound stream asks; the answers are those of the configuration in force. */
export function inboundContext(environment: FederationEnvironment): InboundContext {
  return {
    get mainDomain() {
      return environment.mainDomain()
    },
    isLocal: environment.isLocal,
    termsFor: domain => environment.peerFor(domain)?.terms,
    get anyTerms() {
      return environment.anyTerms()
    },
    judge: (chain, domain) => environment.judge(chain, domain, 'in'),
    isOurKey: ({ receiving, originating, streamId }, key) => {
      const binding = { receiving: toUnicode(receiving), originating: toUnicode(originating), streamId }
      return isDialbackKey(environment.dialbackSecret(), binding, key)
    },
    get replyToInvalidKey() {
      return environment.replyToInvalidKey()
    },
    get limits() {
      return {
        stanzaBytes: environment.limits().stanzaBytes,
        idleMs: environment.timeouts().inactivityMs,
      }
    },
  }
}

/** What the machine of an outbound stream is told of its task. */
export function outboundContext(task: OutboundTask, environment: FederationEnvironment): OutboundContext {
  const { local, remote } = task.pair
  return {
    local,
    remote,
    terms: task.peer.terms,
    purpose: task.purpose === 'verification' ? 'verification' : 'stanzas',
    tryExternal: task.tryExternal,
    judge: chain => environment.judge(chain, remote, 'out'),
    keyFor: streamId => {
      const binding = { receiving: toUnicode(remote), originating: toUnicode(local), streamId }
      return dialbackKey(environment.dialbackSecret(), binding)
    },
  }
}
