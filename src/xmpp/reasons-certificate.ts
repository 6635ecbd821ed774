import type { Reason } from './reason.ts'

/** `certificate-` and the fault, as `judgeCertificate` finds them. */
export const certificateReasons = {
  'certificate-none': {
    title: 'The partner showed no certificate.',
    fault: 'partner',
    remedy:
      'Its server has to show a certificate also on streams that it opens. If it cannot, permit dialback: saslNegotiation optional, dialbackNegotiation true.',
  },
  'certificate-wrong-name': {
    title: 'The certificate is for another domain.',
    fault: 'partner',
    remedy:
      'The partner needs a certificate with its XMPP domain (not only its host) as dNSName, SRVName or XmppAddr. Is it one server for many domains that shows the wrong one? Then its SNI settings are at fault.',
  },
  'certificate-not-pinned': {
    title: 'The certificate is not one of those pinned for this partner.',
    fault: 'policy',
    remedy:
      'Most likely the partner has renewed its certificate. Ask the partner, by another way, for the new fingerprint; if it is the one shown in the journal, put it into pinnedCertificates and reload.',
  },
  'certificate-expired': {
    title: 'A certificate has expired.',
    fault: 'partner',
    remedy:
      'The partner has to renew its certificate, and to make its server load the new one. Is the clock here right?',
  },
  'certificate-not-yet-valid': {
    title: 'A certificate is not valid yet.',
    fault: 'ours',
    remedy:
      'Mostly a clock is wrong: compare this machine’s time first. If it is right, the clock where the certificate was made is not, or the partner uses it too early.',
  },
  'certificate-self-signed': {
    title: 'The certificate is self-signed.',
    fault: 'partner',
    remedy:
      'The partner needs a certificate of a CA; or pin this one (pinnedCertificates), once the partner has confirmed its fingerprint by another way.',
  },
  'certificate-unknown-authority': {
    title: 'The certificate is from a CA that is not trusted here, or its chain is not complete.',
    fault: 'partner',
    remedy:
      'If the CA is a public one, the partner’s server leaves out intermediate certificates: it has to send the whole chain. If it is the partner’s own CA, put that into trustAnchors of the partner.',
  },
  'certificate-wrong-purpose': {
    title: 'The certificate is not for servers.',
    fault: 'partner',
    remedy:
      'The partner needs one whose extended key usage has serverAuth, or none at all. With trust.requireClientAuthEku, inbound streams need clientAuth as well, which public CAs no longer issue: switch that off.',
  },
  'certificate-weak-key': {
    title: 'A key in the chain is too weak, or of an unknown kind.',
    fault: 'partner',
    remedy: 'The partner needs a new key: RSA of 2048 bits or more, P-256, P-384, P-521 or EdDSA.',
  },
  'certificate-weak-signature': {
    title: 'A certificate bears a weak signature, such as SHA-1.',
    fault: 'partner',
    remedy: 'The partner needs a certificate signed with SHA-256 or better.',
  },
  'certificate-bad-signature': {
    title: 'A certificate was not signed by the CA that it names.',
    fault: 'partner',
    remedy:
      'The chain was put together wrongly, or somebody pretends to be a CA that you trust. A CA that has changed its key under the same name looks the same: is the anchor here the current one?',
  },
  'certificate-not-a-ca': {
    title: 'A certificate in the chain has issued others, and is no CA.',
    fault: 'partner',
    remedy:
      'The partner needs a certificate from a proper CA; this chain was put together wrongly, or is a forgery.',
  },
  'certificate-path-too-long': {
    title: 'The chain has more CA certificates than one of them allows.',
    fault: 'partner',
    remedy: 'The partner’s CA has issued what it may not: the partner has to take that up with the CA.',
  },
  'certificate-name-constraint': {
    title: 'A CA of the chain may not issue certificates for this name.',
    fault: 'partner',
    remedy: 'The partner’s CA has issued what it may not: the partner has to take that up with the CA.',
  },
  'certificate-unknown-critical-extension': {
    title: 'A certificate has a critical extension that is not known here.',
    fault: 'partner',
    remedy: 'The partner needs a certificate without it; nobody may ignore a critical extension.',
  },
} as const satisfies Readonly<Record<string, Reason>>

export type CertificateReason = keyof typeof certificateReasons
