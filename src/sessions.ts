import type { SessionJson, SessionOrders } from './admin/sessions.ts'
import type { Directory } from './federation/directory.ts'
import type { InboundSession } from './federation/inbound-session.ts'
import type { OutboundSession } from './federation/outbound-session.ts'
import type { StreamFacts } from './federation/stream-facts.ts'

/** The streams of the gateway, as operators see and close them. */
export function sessionsOf(directory: Directory): SessionOrders {
  return {
    list: () =>
      [...Array.from(directory.inbound, showInbound), ...directory.outbound.map(showOutbound)].toSorted(
        (one, other) => numberOf(one) - numberOf(other),
      ),
    close: (id, reason) => {
      const session = [...directory.inbound, ...directory.outbound].find(({ facts }) => facts.id === id)
      session?.close(undefined, { code: 'closed-by-operator', reason })
      return session !== undefined
    },
  }
}

function showInbound({ facts, proofs, isClosing }: InboundSession): SessionJson {
  const pairs =
    proofs.length > 0
      ? proofs.map(({ local, remote, method }) => ({ local, remote, method }))
      : [{ ...facts.names, method: null }]
  const state = isClosing ? 'closing' : proofs.length > 0 ? 'authenticated' : 'negotiating'
  return show(facts, { state, pairs, stanzasIn: facts.stanzas, stanzasOut: 0 })
}

function showOutbound({ facts, task, method, isEstablished }: OutboundSession): SessionJson {
  const { local, remote } = task.pair
  const open = task.purpose === 'verification' ? 'verifying' : 'authenticated'
  const pairs = [{ local, remote, method: method ?? null }]
  return show(facts, {
    state: isEstablished ? open : 'closing',
    pairs,
    stanzasIn: 0,
    stanzasOut: facts.stanzas,
  })
}

function show(
  { id, direction, tls, certificate, address, since }: StreamFacts,
  more: Pick<SessionJson, 'state' | 'pairs' | 'stanzasIn' | 'stanzasOut'>,
): SessionJson {
  return { id, direction, tls, certificate, address, since: since.toISOString(), ...more }
}

function numberOf({ id }: SessionJson): number {
  return Number(id.split('-')[1])
}
