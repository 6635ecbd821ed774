import type { Proof } from '../identity/proof.ts'
import type { Pair } from '../negotiation/stream.ts'
import type { Domain } from '../xmpp/address.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import type { StreamCondition } from '../xmpp/stream-error.ts'

/** The addresses of a stanza, as written. */
export type Addresses = { readonly from: string | undefined; readonly to: string | undefined }

/** Reads the domain out of an address; undefined where RFC 7622 forbids the address. */
export type DomainReader = (address: string) => Domain | undefined

/** The proof that covers a stanza of a partner's, or the error that ends its stream (contract §3, RFC 6120 §8.1). */
export function coveringProof(
  { from, to }: Addresses,
  proofs: readonly Proof[],
  domainOf: DomainReader,
): Proof | StreamCondition {
  if (from === undefined || to === undefined) return 'improper-addressing'
  const sender = domainOf(from)
  if (sender === undefined) return 'invalid-from'
  const receiver = domainOf(to)
  if (receiver === undefined) return 'improper-addressing'
  let isProven = false
  for (const proof of proofs) {
    if (proof.remote !== sender) continue
    if (proof.local === receiver) return proof
    isProven = true
  }
  return isProven ? 'host-unknown' : 'invalid-from'
}

/**
 * The pair that carries a stanza from the inside, or the error its sender gets (contract §3, §9). Which component stream it came
 * on does not matter: ejabberd spreads the stanzas for all hosts of a listener over all its components.
 */
export function insidePair(
  { from, to }: Addresses,
  domains: { isLocal(domain: Domain): boolean; isPartner(domain: Domain): boolean },
  domainOf: DomainReader,
): Pair | { readonly condition: StanzaCondition; readonly text: string } {
  const local = from === undefined ? undefined : domainOf(from)
  if (local === undefined || !domains.isLocal(local)) {
    return { condition: 'not-allowed', text: 'the sender is in none of the domains this gateway serves' }
  }
  if (to === undefined) return { condition: 'bad-request', text: 'the stanza has no receiver' }
  const remote = domainOf(to)
  if (remote === undefined || !domains.isPartner(remote)) {
    return { condition: 'not-allowed', text: 'the domain of the receiver is not a partner' }
  }
  return { local, remote }
}
