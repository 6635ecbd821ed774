import type { Reason } from './reason.ts'

/** Limits, faults of the protocol, and ends of streams. */
export const streamReasons = {
  'limit-connections': {
    title: 'The gateway has as many streams as it may have.',
    fault: 'ours',
    remedy:
      'See gatehouse_streams: many real partners (raise limits.connections), or a flood (a matter for the firewall)?',
  },
  'limit-unauthenticated': {
    title: 'Too many streams of one address had not authenticated yet.',
    fault: 'partner',
    remedy:
      'Its server opens streams and does not get through: see the other failures. Many partners behind one address need a higher limits.unauthenticatedPerAddress.',
  },
  'limit-partner-connections': {
    title: 'The partner has as many streams as it may have.',
    fault: 'policy',
    remedy:
      'Give it a higher connectionLimit. If it should need but a few, its streams hang: a restart of its server ends them.',
  },
  'limit-elements': {
    title: 'The peer sent too much before it had authenticated.',
    fault: 'partner',
    remedy: 'No server does that by itself; if a partner does, see limits.unauthenticatedElements.',
  },
  'limit-pairs': {
    title: 'The peer asked for too many pairs of domains on one stream.',
    fault: 'partner',
    remedy: 'The limit is fixed, and far above what a partner needs.',
  },
  'limit-stanza-bytes': {
    title: 'What the peer sent was longer than the limit.',
    fault: 'partner',
    remedy:
      'A stanza over limits.stanzaBytes, or before authentication one over limits.unauthenticatedBytes. Raise the limit if the partner sends larger ones with good reason.',
  },
  'limit-xml': {
    title: 'What the peer sent was nested too deep, or had too many names.',
    fault: 'partner',
    remedy:
      'Elements may be nested as deep as limits.depth; the other limits are fixed. No server comes near them by itself.',
  },
  'limit-unread': {
    title: 'The peer did not read what it was sent.',
    fault: 'partner',
    remedy:
      'Its server hangs, or its connection is very slow. What was waiting has come back to its senders.',
  },
  'malformed-xml': {
    title: 'What the peer sent is not the XML of a stream.',
    fault: 'partner',
    remedy: 'Tell the partner, with the reason. Does something else than an XMPP server listen at that port?',
  },
  'protocol-violation': {
    title: 'The peer broke the rules of XMPP.',
    fault: 'partner',
    remedy: 'The reason says how: tell the partner, with the name and version of its server.',
  },
  'stanza-before-authentication': {
    title: 'The peer sent a stanza before it had authenticated.',
    fault: 'partner',
    remedy: 'Its server takes the stream for trusted: see its log, and the steps of the attempt.',
  },
  'address-not-proven': {
    title: 'The partner sent a stanza with addresses that it has not proven on this stream.',
    fault: 'policy',
    remedy:
      'The sender lies in a domain of the partner that is not authenticated, or the receiver in a domain that is not ours: is a subdomain missing in additionalDomains, or our new domain under domains?',
  },
  'peer-host-unknown': {
    title: 'The server of the partner says that it does not serve this domain.',
    fault: 'partner',
    remedy: 'DNS (or proxy) leads to a server that does not know the domain: tell the partner.',
  },
  'peer-stream-error': {
    title: 'The partner ended the stream with an error.',
    fault: 'partner',
    remedy:
      'The condition says why. policy-violation and not-authorized mean that the partner does not accept us: has it put our domain on its list, and does it accept our certificate (gatehouse cert check)? Its log says more.',
  },
  'peer-stopping': {
    title: 'The server of the partner was about to stop, or to start anew, and says so.',
    fault: 'partner',
    remedy:
      'Nothing, if it comes back: the next attempt is made by itself. If it does not, or does so each time, tell the partner; the log of its server says more.',
  },
  'peer-left': {
    title: 'The partner closed the stream before anybody was authenticated.',
    fault: 'partner',
    remedy:
      'It did not get what it wanted, and did not say what: its log does. Inbound, it mostly could not use what was offered, or does not like our certificate.',
  },
  'connection-lost': {
    title: 'The connection broke.',
    fault: 'network',
    remedy:
      'Once is the network. Again and again at the same step is a firewall that inspects, or a server that crashes.',
  },
  'establishment-timeout': {
    title: 'The stream was not authenticated in time.',
    fault: 'partner',
    remedy: 'The last step in the journal shows where it stuck: the side whose turn it was is at fault.',
  },
  'keep-alive-unanswered': {
    title: 'The partner did not answer a ping.',
    fault: 'network',
    remedy:
      'The stream was dead, and is opened anew by itself. If it is always so, the partner does not answer pings: keepAlive false.',
  },
  'internal-error': {
    title: 'The gateway itself failed.',
    fault: 'ours',
    remedy: 'This is a bug: the log has the error, with its stack. Please report it.',
  },
  'policy-changed': {
    title: 'A reload no longer permits the stream.',
    fault: 'nobody',
    remedy: 'Nothing, if the change was meant.',
  },
  'closed-by-operator': {
    title: 'An operator closed the stream, or it was that of a probe.',
    fault: 'nobody',
    remedy: 'Nothing.',
  },
  'peer-closed': {
    title: 'The partner closed the stream in good order.',
    fault: 'nobody',
    remedy: 'Nothing: it is opened anew when there is something to send.',
  },
  idle: {
    title: 'The stream was not used for timeouts.inactivity.',
    fault: 'nobody',
    remedy: 'Nothing: it is opened anew when there is something to send.',
  },
  shutdown: {
    title: 'The gateway stopped.',
    fault: 'nobody',
    remedy: 'Nothing.',
  },
} as const satisfies Readonly<Record<string, Reason>>
