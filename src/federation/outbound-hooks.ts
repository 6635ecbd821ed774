import type { KeyAnswer } from '../negotiation/dialback.ts'
import type { OutboundFailure } from '../negotiation/outbound-stream.ts'
import type { Pair } from '../negotiation/stream.ts'
import type { Run } from '../xml/run.ts'
import type { OutboundSession } from './outbound-session.ts'

/** What a stream tells the link that opened it. */
export type OutboundHooks = {
  /** Stanzas, or questions about keys, may go now. */
  established(session: OutboundSession): void
  /** The attempt failed; `closed` follows. */
  failed(failure: OutboundFailure): void
  drained(): void
  keyAnswer(pair: Pair, streamId: string, answer: KeyAnswer): void
  /** Nothing more may be sent: the peer or we are closing. */
  closing(): void
  /** The stream is gone; the kernel never took these runs. Called once, last. */
  closed(unsent: readonly Run[]): void
}
