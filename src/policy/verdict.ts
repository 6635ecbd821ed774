import type { StanzaEnvelope, StanzaKind } from '../xmpp/stanza.ts'
import type { StanzaCondition } from '../xmpp/stanza-error.ts'
import type { PartnerType } from './partner.ts'

/** What a denied stanza's sender gets: the error, the presence that declines a subscription, or nothing. */
export type Answer =
  | { readonly condition: StanzaCondition; readonly text: string }
  | 'unsubscribed'
  | undefined

// The same for an address that exists and one that does not: nobody learns which there are.
const contactsOnly = {
  condition: 'forbidden',
  text: 'this is taken only from those whom the receiver has added as contacts',
} as const

/** Every denial by the name of its rule, as log and metrics tell it, with the answer its sender gets. */
export const denials = {
  'stranger-subscribe': 'unsubscribed',
  'stranger-presence': undefined,
  'stranger-message': contactsOnly,
  'stranger-request': contactsOnly,
  'stranger-error': undefined,
  'unasked-answer': undefined,
  'unknown-contact': {
    condition: 'remote-server-timeout',
    text: 'the server of this domain cannot be asked at the moment whether the receiver has added you as a contact',
  },
  'unknown-presence': undefined,
  'status-note': undefined,
  'store-failed': {
    condition: 'resource-constraint',
    text: 'the gateway cannot keep at the moment that this contact was added: withdraw it, and add or approve it again later',
  },
  'too-many-contacts': {
    condition: 'resource-constraint',
    text: 'the gateway keeps no more contacts for you; remove some of them first',
  },
} as const satisfies Readonly<Record<string, Answer>>

export type Denial = keyof typeof denials

/** What becomes of a stanza for the type of its partner. */
export type Verdict =
  | { readonly do: 'pass' }
  /** Passes, but for the sender's status notes. */
  | { readonly do: 'pass-without-notes' }
  /** Goes no further, and its sender is answered what `denials` says. */
  | { readonly do: 'refuse'; readonly rule: Denial }
  /** Goes no further, without a word. */
  | { readonly do: 'drop'; readonly rule: Denial }

const pass: Verdict = { do: 'pass' }
const clean: Verdict = { do: 'pass-without-notes' }
const deny = (rule: Denial): Verdict => ({ do: denials[rule] === undefined ? 'drop' : 'refuse', rule })
const subscribe = deny('stranger-subscribe')
const presence = deny('stranger-presence')
const message = deny('stranger-message')
const request = deny('stranger-request')
const error = deny('stranger-error')
const unknown = deny('unknown-contact')
const silence = deny('unknown-presence')
const answer = deny('unasked-answer')

/** The columns of the table: partner type, direction, and who the partner's user is to the local one. */
export const columns = [
  'federated in',
  'federated out',
  'publicVerified in',
  'publicVerified out',
  'publicUnverified in, welcome', // an authorised contact, or one who answers
  'publicUnverified in, stranger',
  'publicUnverified in, unknown', // who is a contact cannot be known now
  'publicUnverified out',
] as const

/** The rules of contract §3 for every type of stanza; `normal` and `available` stand for an absent type, too. */
export const stanzaRules = {
  message: {
    normal: [pass, pass, pass, clean, pass, message, unknown, clean],
    chat: [pass, pass, pass, clean, pass, message, unknown, clean],
    groupchat: [pass, pass, pass, clean, pass, message, unknown, clean],
    headline: [pass, pass, pass, clean, pass, message, unknown, clean],
    error: [pass, pass, pass, clean, pass, error, error, clean],
  },
  presence: {
    available: [pass, pass, pass, clean, pass, presence, silence, clean],
    unavailable: [pass, pass, pass, clean, pass, presence, silence, clean],
    subscribe: [pass, pass, pass, pass, pass, subscribe, silence, pass],
    subscribed: [pass, pass, pass, pass, pass, presence, silence, pass],
    unsubscribe: [pass, pass, pass, pass, pass, presence, silence, pass],
    unsubscribed: [pass, pass, pass, pass, pass, presence, silence, pass],
    probe: [pass, pass, pass, pass, pass, presence, silence, pass],
    error: [pass, pass, pass, pass, pass, presence, silence, pass],
  },
  iq: {
    get: [pass, pass, pass, pass, pass, request, unknown, pass],
    set: [pass, pass, pass, pass, pass, request, unknown, pass],
    result: [pass, pass, pass, clean, pass, answer, answer, clean],
    error: [pass, pass, pass, clean, pass, answer, answer, clean],
  },
} as const satisfies Readonly<Record<StanzaKind, Readonly<Record<string, readonly Verdict[]>>>>

// By Map: a type is whatever a peer wrote.
const rules = new Map(
  Object.entries(stanzaRules).map(([kind, types]) => [kind, new Map(Object.entries(types))]),
)

/**
 * Judges a stanza of a partner's.
 * @param isWelcome its sender is an authorised contact of the local user's, or answers what that one has asked; undefined = that
 * cannot be known now
 */
export function inwardVerdict(
  partnerType: PartnerType,
  stanza: Pick<StanzaEnvelope, 'name' | 'type'>,
  isWelcome: boolean | undefined,
): Verdict {
  switch (partnerType) {
    case 'federated':
      return ruleFor(stanza, 0)
    case 'publicVerified':
      return ruleFor(stanza, 2)
    case 'publicUnverified':
      return ruleFor(stanza, isWelcome === undefined ? 6 : isWelcome ? 4 : 5)
  }
}

/** Judges a stanza for a partner. */
export function outwardVerdict(
  partnerType: PartnerType,
  stanza: Pick<StanzaEnvelope, 'name' | 'type'>,
): Verdict {
  switch (partnerType) {
    case 'federated':
      return ruleFor(stanza, 1)
    case 'publicVerified':
      return ruleFor(stanza, 3)
    case 'publicUnverified':
      return ruleFor(stanza, 7)
  }
}

/** What an absent type means, and one that RFC 6121 does not know (§4.7.1, §5.2.2); of an IQ such a one says nothing. */
const usual: Readonly<Record<string, string>> = { message: 'normal', presence: 'available', iq: 'result' }

function ruleFor({ name, type }: Pick<StanzaEnvelope, 'name' | 'type'>, column: number): Verdict {
  const types = rules.get(name)
  const row = (type === undefined ? undefined : types?.get(type)) ?? types?.get(usual[name] ?? '')
  const verdict = row?.[column]
  if (verdict === undefined) throw new RangeError(`no rule for <${name}/>`)
  return verdict
}
