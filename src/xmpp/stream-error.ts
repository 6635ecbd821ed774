import type { ReasonCode } from './reason.ts'

/** The defined stream error conditions, RFC 6120 §4.9.3. */
export const streamConditions = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const

export type StreamCondition = (typeof streamConditions)[number]

/** Ends the stream it is raised on. The peer is told `condition` and `message`; `cause` stays in our log. */
export class StreamError extends Error {
  override readonly name = 'StreamError'
  readonly condition: StreamCondition
  /** An application-specific condition, such as `stanza-too-big` of `urn:xmpp:errors`. */
  readonly detail: { readonly name: string; readonly namespace: string } | undefined
  /** For our own side: the log, the journal, the metrics. */
  readonly code: ReasonCode

  constructor(
    condition: StreamCondition,
    message = '',
    options: ErrorOptions & { detail?: { name: string; namespace: string }; code?: ReasonCode } = {},
  ) {
    super(message, options)
    this.condition = condition
    this.detail = options.detail
    this.code = options.code ?? 'protocol-violation'
  }
}
