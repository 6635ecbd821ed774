import { describe, expect, test } from 'vitest'
import { matrixRows, termsOf } from '../../src/policy/matrix.ts'
import {
  type CertificateKind,
  type InitiatingPeer,
  inboundOutcome,
  initiatingPeers,
  outboundOutcome,
  type ReceivingPeer,
  receivingPeers,
} from '../support/policy-outcome.ts'

type Requirement = 'required' | 'optional' | 'notSupported'
type Policy = `${Requirement} ${Requirement} ${boolean}`
type Peer<P extends InitiatingPeer | ReceivingPeer> =
  `${P['tls']} ${P['certificate']} ${P['external']} ${'yes' | 'no'}`

const unauthorized = 'sasl not-authorized'
const unencrypted = 'sasl encryption-required'
const wantsTls = 'dialback policy-violation'
const ignored = 'dialback ignored'

// Written by hand from contract §2 and §9. Policy: TLS, SASL, dialback. Peer: TLS, certificate, EXTERNAL, dialback.
const inbound: readonly (readonly [Policy, Peer<InitiatingPeer>, readonly string[], string])[] = [
  ['required required true', 'offered valid whenOffered yes', [], 'sasl-external-tls'],
  ['required required true', 'required valid always no', [], 'sasl-external-tls'],
  ['required required true', 'offered valid never yes', [ignored], 'connection-timeout'],
  ['required required true', 'none none never yes', [ignored], 'connection-timeout'],
  ['required required true', 'offered expired always yes', [unauthorized, ignored], 'connection-timeout'],
  ['required required false', 'offered valid whenOffered no', [], 'sasl-external-tls'],
  ['required required false', 'offered self-signed whenOffered yes', [ignored], 'connection-timeout'],
  ['required required false', 'offered none always no', [unauthorized], 'connection-timeout'],
  ['required required false', 'none valid always no', [unencrypted], 'connection-timeout'],
  ['optional required true', 'offered valid whenOffered yes', [], 'sasl-external-tls'],
  ['optional required true', 'offered wrong-name whenOffered yes', [], 'dialback-tls'],
  ['optional required true', 'none none never yes', [], 'dialback-tcp'],
  ['optional required true', 'offered expired whenOffered no', [], 'connection-timeout'],
  ['optional required false', 'required valid whenOffered no', [], 'sasl-external-tls'],
  ['optional required false', 'none none never yes', [ignored], 'connection-timeout'],
  [
    'optional required false',
    'offered unknown-authority always yes',
    [unauthorized, ignored],
    'connection-timeout',
  ],
  ['notSupported required true', 'offered valid whenOffered yes', [], 'dialback-tcp'],
  ['notSupported required true', 'none none always yes', [unencrypted], 'dialback-tcp'],
  ['notSupported required true', 'offered valid whenOffered no', [], 'connection-timeout'],
  ['notSupported required true', 'required valid whenOffered yes', [], 'peer-leaves'],
  ['required optional true', 'offered valid whenOffered yes', [], 'sasl-external-tls'],
  ['required optional true', 'offered valid never yes', [], 'dialback-tls'],
  ['required optional true', 'offered self-signed always yes', [unauthorized], 'dialback-tls'],
  ['required optional true', 'offered none never no', [], 'connection-timeout'],
  ['required optional true', 'none none never yes', [wantsTls], 'connection-timeout'],
  ['required optional true', 'none none always yes', [unencrypted, wantsTls], 'connection-timeout'],
  ['required optional false', 'offered valid whenOffered no', [], 'sasl-external-tls'],
  ['required optional false', 'offered wrong-name whenOffered yes', [ignored], 'connection-timeout'],
  ['optional optional true', 'required valid always yes', [], 'sasl-external-tls'],
  ['optional optional true', 'offered expired whenOffered yes', [], 'dialback-tls'],
  ['optional optional true', 'none none never yes', [], 'dialback-tcp'],
  ['optional optional false', 'offered valid always yes', [], 'sasl-external-tls'],
  ['optional optional false', 'none none never no', [], 'connection-timeout'],
  ['notSupported optional true', 'none none never yes', [], 'dialback-tcp'],
  ['notSupported optional true', 'required none never yes', [], 'peer-leaves'],
  ['required notSupported true', 'offered valid whenOffered yes', [], 'dialback-tls'],
  ['required notSupported true', 'offered valid always yes', [unauthorized], 'dialback-tls'],
  ['required notSupported true', 'offered valid always no', [unauthorized], 'connection-timeout'],
  ['required notSupported true', 'none none never yes', [wantsTls], 'connection-timeout'],
  ['optional notSupported true', 'offered none never yes', [], 'dialback-tls'],
  ['optional notSupported true', 'none none never yes', [], 'dialback-tcp'],
  ['optional notSupported true', 'required expired whenOffered no', [], 'connection-timeout'],
  ['notSupported notSupported true', 'offered valid always yes', [unencrypted], 'dialback-tcp'],
  ['notSupported notSupported true', 'none none never no', [], 'connection-timeout'],
]

const outbound: readonly (readonly [Policy, Peer<ReceivingPeer>, readonly string[], string])[] = [
  ['required required true', 'offered valid accepted yes', [], 'sasl-external-tls'],
  ['required required true', 'offered valid refused yes', [unauthorized], 'remote-server-timeout'],
  ['required required true', 'offered expired accepted yes', [], 'remote-server-timeout'],
  ['required required true', 'none valid notOffered yes', [], 'remote-server-timeout'],
  ['required required false', 'required valid accepted no', [], 'sasl-external-tls'],
  ['required required false', 'offered valid notOffered yes', [], 'remote-server-timeout'],
  ['required required false', 'offered valid dropped yes', [unauthorized], 'remote-server-timeout'],
  ['optional required true', 'offered valid dropped yes', [unauthorized], 'dialback-tls'],
  ['optional required true', 'offered unknown-authority accepted yes', [], 'dialback-tls'],
  ['optional required true', 'none valid notOffered yes', [], 'dialback-tcp'],
  ['optional required true', 'none valid notOffered no', [], 'remote-server-timeout'],
  ['optional required false', 'offered valid accepted yes', [], 'sasl-external-tls'],
  ['optional required false', 'none valid notOffered yes', [], 'remote-server-timeout'],
  ['notSupported required true', 'offered valid accepted yes', [], 'dialback-tcp'],
  ['notSupported required true', 'offered valid accepted no', [], 'remote-server-timeout'],
  ['notSupported required true', 'required valid accepted yes', [], 'remote-server-timeout'],
  ['required optional true', 'offered valid accepted yes', [], 'sasl-external-tls'],
  ['required optional true', 'offered valid refused yes', [unauthorized], 'dialback-tls'],
  ['required optional true', 'offered valid dropped yes', [unauthorized], 'dialback-tls'],
  ['required optional true', 'offered valid refused no', [unauthorized], 'remote-server-timeout'],
  ['required optional true', 'offered self-signed accepted yes', [], 'dialback-tls'],
  ['required optional true', 'offered self-signed accepted no', [], 'remote-server-timeout'],
  ['required optional true', 'none self-signed notOffered yes', [], 'remote-server-timeout'],
  ['required optional false', 'required valid accepted yes', [], 'sasl-external-tls'],
  ['required optional false', 'offered wrong-name accepted yes', [], 'remote-server-timeout'],
  ['optional optional true', 'required valid accepted no', [], 'sasl-external-tls'],
  ['optional optional true', 'offered valid notOffered yes', [], 'dialback-tls'],
  ['optional optional true', 'none expired notOffered yes', [], 'dialback-tcp'],
  ['optional optional false', 'offered valid accepted no', [], 'sasl-external-tls'],
  ['optional optional false', 'offered valid refused yes', [unauthorized], 'remote-server-timeout'],
  ['notSupported optional true', 'none valid notOffered yes', [], 'dialback-tcp'],
  ['notSupported optional true', 'required expired notOffered yes', [], 'remote-server-timeout'],
  ['required notSupported true', 'offered valid accepted yes', [], 'dialback-tls'],
  ['required notSupported true', 'offered valid accepted no', [], 'remote-server-timeout'],
  ['required notSupported true', 'none valid notOffered yes', [], 'remote-server-timeout'],
  ['optional notSupported true', 'required expired accepted yes', [], 'dialback-tls'],
  ['optional notSupported true', 'none valid notOffered yes', [], 'dialback-tcp'],
  ['notSupported notSupported true', 'offered valid accepted yes', [], 'dialback-tcp'],
  ['notSupported notSupported true', 'required valid accepted yes', [], 'remote-server-timeout'],
]

describe('by the policy, a peer that opens a stream', () => {
  test.each(inbound)('%s: %s: is refused %j, and ends by %s', (policy, peer, told, end) => {
    expect(inboundOutcome(termsFor(policy), readPeer(peer) as InitiatingPeer)).toEqual({ told, end })
  })
})

describe('by the policy, a peer that a stream is opened to', () => {
  test.each(outbound)('%s: %s: refuses %j, and the stream ends by %s', (policy, peer, told, end) => {
    expect(outboundOutcome(termsFor(policy), readPeer(peer) as ReceivingPeer)).toEqual({ told, end })
  })
})

describe('the tables above', () => {
  test.each(matrixRows.filter(row => row.valid))('hold TLS $tls, SASL $sasl, dialback $dialback', row => {
    const policy = `${row.tls} ${row.sasl} ${row.dialback}`
    expect(inbound.some(([of]) => of === policy)).toBe(true)
    expect(outbound.some(([of]) => of === policy)).toBe(true)
  })

  test('are a sample of all peers, each of which is there once', () => {
    const texts = [...initiatingPeers, ...receivingPeers].map(peer => JSON.stringify(peer))
    expect([initiatingPeers.length, receivingPeers.length]).toEqual([3 * 6 * 3 * 2, 3 * 5 * 4 * 2])
    expect(new Set([...texts.slice(0, 108)]).size).toBe(108)
    expect(new Set([...texts.slice(108)]).size).toBe(120)
  })
})

function termsFor(policy: Policy) {
  const [tls, sasl, dialback] = policy.split(' ') as [Requirement, Requirement, string]
  return termsOf({ tls, sasl, dialback: dialback === 'true' })
}

function readPeer(text: string) {
  const [tls, certificate, external, dialback] = text.split(' ')
  return { tls, certificate: certificate as CertificateKind, external, dialback: dialback === 'yes' }
}
