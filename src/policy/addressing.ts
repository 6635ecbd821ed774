import type { Proof } from '../identity/proof.ts'
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

/** What is wrong with the addresses of a stanza from the inside, if anything (contract §3, §9). */
export function insideFault(
  { from, to }: Addresses,
  component: Domain,
  isLocal: (domain: Domain) => boolean,
  domainOf: DomainReader,
): { readonly condition: StanzaCondition; readonly text: string } | undefined {
  const sender = from === undefined ? undefined : domainOf(from)
  if (sender === undefined || !isLocal(sender)) {
    return { condition: 'not-allowed', text: 'the sender is in none of the domains this gateway serves' }
  }
  if (to === undefined) return { condition: 'bad-request', text: 'the stanza has no receiver' }
  if (domainOf(to) !== component)
    return { condition: 'not-allowed', text: 'the domain of the receiver is not a partner' }
  return undefined
}
