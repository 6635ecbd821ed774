/** Every XML namespace the gateway speaks, once. */
export const ns = {
  stream: 'http://etherx.jabber.org/streams',
  server: 'jabber:server',
  component: 'jabber:component:accept',
  client: 'jabber:client',
  dialback: 'jabber:server:dialback', // XEP-0220
  dialbackFeature: 'urn:xmpp:features:dialback', // XEP-0220 §2.3.2
  tls: 'urn:ietf:params:xml:ns:xmpp-tls', // RFC 6120 §5
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl', // RFC 6120 §6
  streams: 'urn:ietf:params:xml:ns:xmpp-streams', // RFC 6120 §4.9.2
  stanzas: 'urn:ietf:params:xml:ns:xmpp-stanzas', // RFC 6120 §8.3.2
  streamLimits: 'urn:xmpp:stream-limits:0', // XEP-0478
  errors: 'urn:xmpp:errors', // XEP-0205, stanza-too-big
  ping: 'urn:xmpp:ping', // XEP-0199
  discoInfo: 'http://jabber.org/protocol/disco#info', // XEP-0030
  discoItems: 'http://jabber.org/protocol/disco#items', // XEP-0030
  version: 'jabber:iq:version', // XEP-0092
  roster: 'jabber:iq:roster', // RFC 6121 §2
  pubsub: 'http://jabber.org/protocol/pubsub', // XEP-0060
  pubsubEvent: 'http://jabber.org/protocol/pubsub#event', // XEP-0060 §7
  mood: 'http://jabber.org/protocol/mood', // XEP-0107
  hints: 'urn:xmpp:hints', // XEP-0334
  addresses: 'http://jabber.org/protocol/address', // XEP-0033
  headers: 'http://jabber.org/protocol/shim', // XEP-0131
  delay: 'urn:xmpp:delay', // XEP-0203
  stanzaIds: 'urn:xmpp:sid:0', // XEP-0359
  activity: 'http://jabber.org/protocol/activity', // XEP-0108
  privilege: 'urn:xmpp:privilege:2', // XEP-0356
  privilegeBefore: 'urn:xmpp:privilege:1', // XEP-0356 before 0.3, as ejabberd 23.01 speaks it
} as const

/** The content namespaces of the streams the gateway carries (RFC 6120 §4.8.2, XEP-0114). */
export type ContentNamespace = typeof ns.server | typeof ns.component
