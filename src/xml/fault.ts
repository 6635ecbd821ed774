/** The stream error conditions that XML itself can deserve (RFC 6120 §4.9.3). */
export type XmlCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'not-well-formed'
  | 'policy-violation'
  | 'restricted-xml'
  | 'unsupported-encoding'

/** The peer's bytes are not a stream; nothing behind them can be read. */
export class XmlFault extends Error {
  override readonly name = 'XmlFault'
  readonly condition: XmlCondition
  /** The element or the header is over `XmlLimits.elementBytes`. */
  readonly tooBig: boolean

  constructor(condition: XmlCondition, message: string, tooBig = false) {
    super(message)
    this.condition = condition
    this.tooBig = tooBig
  }
}

/** What XML 1.0 or Namespaces in XML 1.0 forbids. */
export function malformed(message: string): XmlFault {
  return new XmlFault('not-well-formed', message)
}
