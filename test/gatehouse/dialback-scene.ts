import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { HeaderChoices, WirePeer } from '../support/wire-peer.ts'

const domains = { primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'] }

/** A message to the partner, whose id is 1. */
export const hello = "<message from='b@contoso.com' to='a@fabrikam.com' id='1'><body>x</body></message>"

/** The two policies under which dialback is all there is. */
export const policies = {
  'dialback-tcp': {
    ...domains,
    tlsNegotiation: 'notSupported',
    saslNegotiation: 'notSupported',
    dialbackNegotiation: true,
  },
  'dialback-tls': {
    ...domains,
    tlsNegotiation: 'required',
    saslNegotiation: 'notSupported',
    dialbackNegotiation: true,
  },
} as const

export type Method = keyof typeof policies

/** The methods of those policies. */
export const methods = Object.keys(policies) as Method[]

/** Time limits that a test can wait for. */
export const quick = { timeouts: { dialback: '300ms', streamEstablishment: '5s' } }

/** A gateway whose one partner, fabrikam.com, may use this method alone. */
export const start = (method: Method, settings = {}) =>
  startGateway({ partners: [policies[method]], inside: 'component', settings })

/** The peer's stream, as far as dialback is due. */
export function opens(peer: WirePeer, method: Method) {
  return method === 'dialback-tls' ? peer.opensSecurely() : peer.opens()
}

/** The peer's server, as far as the gateway may send its questions and keys. */
export function greets(peer: WirePeer, method: Method, choices: HeaderChoices = {}) {
  const verb = method === 'dialback-tls' ? 'greetsSecurely' : 'greets'
  return peer[verb](['dialback'], choices)
}

/** Has the server inside send a stanza to fabrikam.com. */
export async function sendFromInside(gateway: RunningGateway, stanza: string): Promise<void> {
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(stanza)
}

/** A partner that has sent a key, and its server that is asked about it. */
export async function asked(gateway: RunningGateway, method: Method) {
  const server = await gateway.serve()
  const peer = await gateway.connect()
  await opens(peer, method)
  peer.sendKey('the-key')
  const authoritative = await server.next()
  await greets(authoritative, method)
  return { peer, authoritative, server }
}
