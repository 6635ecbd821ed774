import type { Socket } from 'node:net'
import type { Admitted } from '../transport/listener.ts'
import type { Directory } from './directory.ts'
import { withoutTls } from './endings.ts'
import type { FederationEnvironment } from './environment.ts'
import { InboundSession } from './inbound-session.ts'
import type { KeyVerification } from './key-verification.ts'
import { StreamReport } from './stream-report.ts'

/** Takes an accepted socket over: direct TLS first, where the listener is one for it (XEP-0368), then the stream. */
export async function receive(
  socket: Socket,
  admitted: Admitted,
  directTls: boolean,
  parts: { environment: FederationEnvironment; directory: Directory; keys: KeyVerification },
): Promise<void> {
  const { tls, timeouts } = parts.environment
  if (!directTls) {
    new InboundSession(socket, undefined, admitted, parts)
    return
  }
  const report = StreamReport.ofAccepted(admitted.address, parts.environment)
  const signal = AbortSignal.timeout(timeouts().streamEstablishmentMs)
  try {
    const secured = await tls.accept(socket, { directTls, signal })
    new InboundSession(secured.socket, secured, admitted, parts, report)
  } catch (error) {
    const hasSpoken = admitted.hasSpoken()
    const why = hasSpoken || signal.aborted ? withoutTls(error) : report.left('the peer said nothing')
    if (why.code !== 'peer-left') report.refused('policy-violation', why)
    report.closed(why, hasSpoken)
  }
}
