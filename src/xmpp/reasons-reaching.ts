import type { Reason } from './reason.ts'

/** DNS, connections, TLS. */
export const reachingReasons = {
  'dns-failed': {
    title: 'No name server gave an answer about the partner.',
    fault: 'network',
    remedy:
      'Ask your name servers yourself (gatehouse dns DOMAIN, or dig SRV _xmpp-server._tcp.DOMAIN). If dns.servers is set, are those addresses right, and do they answer for the whole world? If they answer everybody else, the zone of the partner is broken (SERVFAIL): tell the partner.',
  },
  'dns-no-service': {
    title: 'DNS leads to no XMPP server of this domain.',
    fault: 'partner',
    remedy:
      'The partner has to publish _xmpp-server._tcp.DOMAIN as SRV (gatehouse dns DOMAIN shows what there is; a target "." says that it wants no XMPP). Until then, name its server with proxy: HOST:PORT in the partner list. Or is the domain misspelt there?',
  },
  'dns-no-address': {
    title: 'The server that the partner names in DNS has no address.',
    fault: 'partner',
    remedy:
      'The SRV record leads to a host without A or AAAA record: tell the partner. Until it is mended, name its server with proxy: HOST:PORT in the partner list.',
  },
  'proxy-no-address': {
    title: 'The server that is named in the partner list (proxy) has no address.',
    fault: 'ours',
    remedy:
      'Is the host in proxy spelt rightly? It needs an A or AAAA record with the name servers that are asked here. Without proxy, the partner’s own DNS records are used.',
  },
  'no-usable-server': {
    title: 'The partner has no server that its policy lets us connect to.',
    fault: 'policy',
    remedy:
      'All that the partner publishes wants TLS from the first byte (_xmpps-server), and its tlsNegotiation here is notSupported: set that to required.',
  },
  'connect-refused': {
    title: 'The server of the partner is there, and nobody listens at the port.',
    fault: 'partner',
    remedy:
      'The XMPP server of the partner is down, or DNS (or proxy) names the wrong port: tell the partner. If it works from elsewhere, a firewall on the way refuses us: is outgoing TCP to port 5269 permitted?',
  },
  'connect-timeout': {
    title: 'The server of the partner does not answer at all.',
    fault: 'network',
    remedy:
      'A firewall drops the packets, ours on the way out or that of the partner: is outgoing TCP to the port open here, and has the partner opened it for our address? Else its server is down.',
  },
  'connect-unreachable': {
    title: 'There is no way to the address of the server.',
    fault: 'network',
    remedy:
      'This machine has no route to the address: is the network up, and is there IPv6 where the address is an IPv6 one? An address of a private network in public DNS is for the partner to mend.',
  },
  'tls-not-offered': {
    title: 'The policy asks for TLS, and the partner offers none.',
    fault: 'partner',
    remedy:
      'The partner has to switch TLS on (a certificate for its server). Only if you accept clear text: tlsNegotiation optional, dialbackNegotiation true.',
  },
  'tls-refused': {
    title: 'The partner offered TLS, and then would not do it.',
    fault: 'partner',
    remedy:
      'The TLS of the server of the partner is broken; its log says why. Mostly it cannot read its own key.',
  },
  'tls-handshake-failed': {
    title: 'The TLS handshake failed.',
    fault: 'partner',
    remedy:
      'The reason names the cause. Often: no version in common (we take TLS 1.2 and later), no cipher in common, or a server without a certificate. Try it: openssl s_client -connect HOST:PORT -starttls xmpp-server -xmpphost DOMAIN.',
  },
  'tls-required-by-peer': {
    title: 'The partner insists on TLS, and its policy here does not support it.',
    fault: 'policy',
    remedy: 'Set tlsNegotiation of this partner to required or optional.',
  },
  'tls-not-permitted': {
    title: 'The partner asked for TLS, which its policy here does not support.',
    fault: 'policy',
    remedy: 'Set tlsNegotiation of this partner to required or optional.',
  },
} as const satisfies Readonly<Record<string, Reason>>
