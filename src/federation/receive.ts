import type { Socket } from 'node:net'
import type { Admitted } from '../transport/listener.ts'
import type { Directory } from './directory.ts'
import { withoutTls } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import { InboundSession } from './inbound-session.ts'
import type { KeyVerification } from './key-verification.ts'

/** Takes an accepted socket over: direct TLS first, where the listener is one for it (XEP-0368), then the stream. */
export async function receive(
  socket: Socket,
  admitted: Admitted,
  directTls: boolean,
  parts: { environment: FederationEnvironment; directory: Directory; keys: KeyVerification },
): Promise<void> {
  const { tls, log, metrics, timeouts } = parts.environment
  if (!directTls) {
    new InboundSession(socket, undefined, admitted, parts)
    return
  }
  try {
    const signal = AbortSignal.timeout(timeouts().streamEstablishmentMs)
    const secured = await tls.accept(socket, { directTls, signal })
    new InboundSession(secured.socket, secured, admitted, parts)
  } catch (error) {
    const { code, reason } = withoutTls(error)
    log.info('direct TLS handshake failed', { remoteAddress: admitted.address, code, reason })
    metrics.failure('in', code)
  }
}
