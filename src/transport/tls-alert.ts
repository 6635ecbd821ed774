/**
 * Alerts that a peer sends about the certificate that it was shown (RFC 8446 §6.2), in the words of OpenSSL. TLS judges no
 * certificate here, so they are always about ours.
 */
const alerts =
  /alert (unknown ca|bad certificate|unsupported certificate|certificate (required|expired|revoked|unknown))\b/i

/** Whether a TLS error, within the handshake or after it, says that the peer does not accept our certificate. */
export function isAboutOurCertificate(error: unknown): boolean {
  return error instanceof Error && (alerts.test(error.message) || isAboutOurCertificate(error.cause))
}

/** What a TLS error says. OpenSSL's own message names source files and addresses; its reason says it all. */
export function sentenceOf(error: Error & { reason?: unknown }): string {
  return typeof error.reason === 'string' ? error.reason : error.message
}
