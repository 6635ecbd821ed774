import type { Reason } from './reason.ts'

/** Who may talk to us, SASL EXTERNAL, dialback. */
export const trustReasons = {
  'not-a-partner': {
    title: 'The domain is not in the partner list.',
    fault: 'policy',
    remedy:
      'If it should be: add it, as a partner or to the additionalDomains of one (a subdomain is not implied), and reload; the server inside, where there is one, has to be told of it, too (docs/inside.md). Else this is the gateway doing its work.',
  },
  'unknown-local-domain': {
    title: 'The partner asked for a domain that is not served here.',
    fault: 'partner',
    remedy:
      'The partner has the wrong name for us, or DNS leads another domain to this gateway. If the domain is ours, put it under domains.',
  },
  'claims-our-domain': {
    title: 'Somebody outside says that it is one of our own domains.',
    fault: 'partner',
    remedy:
      'A forgery; or the XMPP server inside does its own federation and has found itself in DNS: switch s2s off there.',
  },
  'our-certificate-refused': {
    title: 'The partner does not accept our certificate, and says so.',
    fault: 'ours',
    remedy:
      'Look at it first (gatehouse cert check): has it expired, does it name our domain, is its chain complete? If it is well, the partner has to trust its CA: tell the partner which that is. Older servers want clientAuth in it, which public CAs no longer issue.',
  },
  'external-not-offered': {
    title: 'The policy asks for SASL EXTERNAL, and the partner does not offer it.',
    fault: 'ours',
    remedy:
      'Mostly the partner does not accept our certificate: does it name our domain, is its chain complete, does the partner trust its CA (gatehouse cert check)? Older servers refuse a certificate for servers only. Else permit dialback, on both sides: saslNegotiation optional, dialbackNegotiation true.',
  },
  'external-refused': {
    title: 'The partner refused SASL EXTERNAL.',
    fault: 'ours',
    remedy:
      'It does not accept our certificate: does it name our domain, is its chain complete, does the partner trust its CA (gatehouse cert check)? Older servers refuse a certificate for servers only: then the partner has to relax that, or permit dialback on both sides.',
  },
  'external-not-permitted': {
    title: 'The partner tried SASL EXTERNAL, which its policy here does not permit.',
    fault: 'policy',
    remedy: 'Set saslNegotiation of this partner to required or optional, with TLS.',
  },
  'external-wrong-identity': {
    title: 'The partner asked by SASL to be another domain than that of the stream.',
    fault: 'partner',
    remedy: 'The partner’s server sends a wrong authorization identity: tell the partner.',
  },
  'dialback-not-offered': {
    title: 'The policy asks for dialback, and the partner does not offer it.',
    fault: 'policy',
    remedy:
      'Agree with the partner on one method. If it can do certificates: saslNegotiation optional or required. Else it has to switch dialback on.',
  },
  'dialback-invalid-key': {
    title: 'The partner says that our dialback key is invalid.',
    fault: 'ours',
    remedy:
      'The partner has asked the server that DNS names for our domain, and that one did not know the key. Does _xmpp-server._tcp of our domain lead here, and nowhere else (gatehouse dns)? Do all gateways of the pool have the same dialback.secret?',
  },
  'dialback-refused': {
    title: 'The partner answered our dialback key with an error.',
    fault: 'partner',
    remedy:
      'The condition says why: policy-violation and not-allowed mean that its policy forbids it; item-not-found, that it does not serve the domain. Its log says more.',
  },
  'dialback-cannot-reach-us': {
    title: 'The partner could not reach us, to ask about our dialback key.',
    fault: 'ours',
    remedy:
      'It asks the server that DNS names for our domain: does _xmpp-server._tcp of our domain lead here (gatehouse dns), and is port 5269 open to the partner? If both are well, its own name servers or firewall are at fault. The inbound attempts in the journal show whether it came.',
  },
  'dialback-unanswered': {
    title: 'The partner did not answer our dialback key.',
    fault: 'ours',
    remedy:
      'Its server has to ask ours, and mostly cannot: do our DNS records lead here (gatehouse dns), and is port 5269 open to the partner? The inbound attempts in the journal show whether it came. Or the partner does not permit dialback for us, and stays silent: it then has to accept our certificate (gatehouse cert check).',
  },
  'dialback-not-permitted': {
    title: 'The partner tried dialback, which its policy here does not permit on this stream.',
    fault: 'policy',
    remedy:
      'Mostly its certificate was not good enough for EXTERNAL, and dialback was all that is left: see the certificate in the journal. Only if that is enough for you: saslNegotiation optional, dialbackNegotiation true.',
  },
  'dialback-key-denied': {
    title: 'The authoritative server of the domain says that the dialback key is not its own.',
    fault: 'partner',
    remedy:
      'Somebody pretends to be the partner; or the servers of the partner do not share one dialback secret; or DNS leads us to another server than the one that called. The address in the journal tells which.',
  },
  'dialback-unverified': {
    title: 'The authoritative server of the domain could not be asked about its dialback key.',
    fault: 'partner',
    remedy:
      'We have to reach the partner to believe it. See the attempt with the purpose verification in the journal: its code says what is wrong on that way.',
  },
  'no-permitted-method': {
    title: 'The partner offers no method that its policy here permits.',
    fault: 'policy',
    remedy:
      'The journal shows what it offers, and gatehouse matrix what the settings permit. A partner that offers no EXTERNAL under TLS mostly does not accept our certificate (gatehouse cert check).',
  },
} as const satisfies Readonly<Record<string, Reason>>
