import { describe, expect, test } from 'vitest'
import { type Proof, proveByCertificate } from '../../src/identity/proof.ts'
import { coveringProof, insidePair } from '../../src/policy/addressing.ts'
import { domainOf } from '../../src/xmpp/address.ts'
import type { StanzaCondition } from '../../src/xmpp/stanza-error.ts'
import type { StreamCondition } from '../../src/xmpp/stream-error.ts'
import { domain } from '../support/inbound-peer.ts'

const proofOf = (remote: string, local: string): Proof =>
  proveByCertificate({ local: domain(local), remote: domain(remote) }, 'valid')

/** fabrikam.com speaks to both domains of ours, münchen.example to the one. */
const proofs = [
  proofOf('fabrikam.com', 'contoso.com'),
  proofOf('münchen.example', 'contoso.com'),
  proofOf('fabrikam.com', 'it.contoso.com'),
]

describe('a stanza of a partner', () => {
  test.each([
    ['juliet@fabrikam.com/balcony', 'romeo@contoso.com', 0],
    ['fabrikam.com', 'contoso.com', 0],
    ['JULIET@Fabrikam.COM', 'romeo@CONTOSO.com/x@example.net/y', 0],
    ['juliet@fabrikam.com/romeo@example.net', 'romeo@it.contoso.com', 2],
    ['fabrikam.com./x', 'it.contoso.com', 2],
    ['a@münchen.example', 'romeo@contoso.com', 1],
    ['a@xn--mnchen-3ya.example', 'romeo@contoso.com', 1],
  ])('from %s to %s is covered by what was proven', (from, to, at) => {
    expect(coveringProof({ from, to }, proofs, domainOf)).toBe(proofs[at])
  })

  test.each<[string | undefined, string | undefined, StreamCondition]>([
    [undefined, 'romeo@contoso.com', 'improper-addressing'],
    ['juliet@fabrikam.com', undefined, 'improper-addressing'],
    [undefined, undefined, 'improper-addressing'],
    ['juliet@example.net', 'romeo@contoso.com', 'invalid-from'],
    ['juliet@sub.fabrikam.com', 'romeo@contoso.com', 'invalid-from'],
    ['juliet@contoso.com', 'romeo@contoso.com', 'invalid-from'],
    ['fabrikam.com@example.net', 'romeo@contoso.com', 'invalid-from'],
    ['', 'romeo@contoso.com', 'invalid-from'],
    ['@fabrikam.com', 'romeo@contoso.com', 'invalid-from'],
    ['juliet@fabrikam.com/', 'romeo@contoso.com', 'invalid-from'],
    ['juliet@example.net', 'romeo@nowhere.example', 'invalid-from'],
    ['juliet@fabrikam.com', 'romeo@nowhere.example', 'host-unknown'],
    ['juliet@fabrikam.com', 'romeo@fabrikam.com', 'host-unknown'],
    ['a@münchen.example', 'romeo@it.contoso.com', 'host-unknown'], // a pair that was not proven
    ['juliet@fabrikam.com', '', 'improper-addressing'],
    ['juliet@fabrikam.com', 'romeo@@contoso.com', 'improper-addressing'],
    ['juliet@fabrikam.com', 'ro meo@contoso.com', 'improper-addressing'],
  ])('from %s to %s ends its stream with %s', (from, to, condition) => {
    expect(coveringProof({ from, to }, proofs, domainOf)).toBe(condition)
  })

  test('is covered by nothing where nothing was proven', () => {
    expect(coveringProof({ from: 'a@fabrikam.com', to: 'b@contoso.com' }, [], domainOf)).toBe('invalid-from')
  })
})

describe('a stanza from the inside', () => {
  const ours: readonly string[] = ['contoso.com', 'it.contoso.com']
  const theirs: readonly string[] = ['fabrikam.com', 'xn--mnchen-3ya.example']
  const domains = {
    isLocal: (of: string) => ours.includes(of),
    isPartner: (of: string) => theirs.includes(of),
  }
  const pairFor = (from: string | undefined, to: string | undefined) =>
    insidePair({ from, to }, domains, domainOf)

  test.each([
    ['romeo@contoso.com/orchard', 'juliet@fabrikam.com', 'contoso.com', 'fabrikam.com'],
    ['it.contoso.com', 'a@MÜNCHEN.example', 'it.contoso.com', 'xn--mnchen-3ya.example'],
  ])('from %s to %s goes by its pair', (from, to, local, remote) => {
    expect(pairFor(from, to)).toEqual({ local, remote })
  })

  test.each<[string | undefined, string | undefined, StanzaCondition]>([
    [undefined, 'juliet@fabrikam.com', 'not-allowed'],
    ['romeo@example.net', 'juliet@fabrikam.com', 'not-allowed'],
    ['juliet@fabrikam.com', 'juliet@fabrikam.com', 'not-allowed'],
    ['ro meo@contoso.com', 'juliet@fabrikam.com', 'not-allowed'],
    [undefined, undefined, 'not-allowed'],
    ['romeo@contoso.com', undefined, 'bad-request'],
    ['romeo@contoso.com', 'juliet@example.net', 'not-allowed'],
    ['romeo@contoso.com', 'juliet@sub.fabrikam.com', 'not-allowed'],
    ['romeo@contoso.com', 'romeo@it.contoso.com', 'not-allowed'],
    ['romeo@contoso.com', '@fabrikam.com', 'not-allowed'],
  ])('from %s to %s comes back with %s', (from, to, condition) => {
    expect(pairFor(from, to)).toEqual({ condition, text: expect.stringMatching(/./) })
  })
})
