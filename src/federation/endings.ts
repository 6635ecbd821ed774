import { isAboutOurCertificate, sentenceOf } from '../transport/tls-alert.ts'
import type { Why } from '../xmpp/reason.ts'
import { StreamError } from '../xmpp/stream-error.ts'

/** Nothing has come or gone for `timeouts.inactivity`. */
export const idle: Why = { code: 'idle', reason: 'idle' }

/** The gateway stops, and streams end in good order. */
export const stopping: Why = { code: 'shutdown', reason: 'the gateway is stopping' }

/** The time for that is over. */
export const stopped: Why = { code: 'shutdown', reason: 'the gateway stops' }

export const policyChanged: Why = {
  code: 'policy-changed',
  reason: 'the policy for this domain no longer permits this stream',
}

export const tooManyStreams: Why = {
  code: 'limit-partner-connections',
  reason: 'this partner has reached its limit of connections',
}

/** Whoever asks on and on and reads no answer would make us keep them all. */
export const unread: Why = { code: 'limit-unread', reason: 'the peer does not read what it asked for' }

export const unansweredPing: Why = {
  code: 'keep-alive-unanswered',
  reason: 'the partner does not answer a ping',
}

/** TLS was to begin, and did not. */
export function withoutTls(error: unknown): Why {
  const reason = error instanceof Error ? error.message : String(error)
  if (error instanceof StreamError) return { code: error.code, reason }
  if (isAboutOurCertificate(error)) return certificateRefused(reason)
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return { code: 'establishment-timeout', reason: 'the TLS handshake took too long' }
  return { code: 'tls-handshake-failed', reason }
}

/** The connection broke. With TLS 1.3, who does not accept our certificate says so when the handshake is over for us. */
export function brokenBy(error: Error): Why {
  if (isAboutOurCertificate(error)) return certificateRefused(sentenceOf(error))
  return { code: 'connection-lost', reason: `connection lost: ${sentenceOf(error)}` }
}

function certificateRefused(alert: string): Why {
  return { code: 'our-certificate-refused', reason: `the partner does not accept our certificate: ${alert}` }
}

/** For the log: who connects and goes without a word looks whether the port is open, as balancers do. */
export const wordless = 'connection ended without a word'
