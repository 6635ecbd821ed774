import type { Method, Requirement, Terms } from '../negotiation/stream.ts'

/** The three settings of a partner that the matrix judges. */
export type NegotiationSettings = {
  readonly tls: Requirement
  readonly sasl: Requirement
  readonly dialback: boolean
}

/** What an operator is told about a row, by the row's note names. */
export const matrixNotes = {
  'dialback-inoperative': 'Dialback does not operate when both TLS and SASL are required.',
  'sasl-requires-tls': 'SASL requires TLS: with TLS optional or not supported, session negotiation may fail.',
  'no-method': 'SASL needs TLS, which is not available, and dialback is off: no method can succeed.',
  'sasl-or-dialback': 'SASL or dialback must be enabled.',
  'tcp-dialback-only': 'TCP dialback is the only method available.',
  'peer-decides': 'TLS or TCP dialback is used according to what the other side negotiates.',
} as const

export type MatrixNote = keyof typeof matrixNotes

/** One combination of the settings: whether it is valid, and what it permits, strongest method first. */
export type MatrixRow = NegotiationSettings & {
  readonly valid: boolean
  readonly methods: readonly Method[]
  readonly severity: 'none' | 'warning' | 'error'
  readonly notes: readonly MatrixNote[]
}

const all: readonly Method[] = ['sasl-external-tls', 'dialback-tls', 'dialback-tcp']

/** All 18 combinations, in the order in which they are shown. */
export const matrixRows: readonly MatrixRow[] = [
  warning('required', 'required', true, ['sasl-external-tls'], 'dialback-inoperative'),
  good('required', 'required', false, ['sasl-external-tls']),
  warning('optional', 'required', true, all, 'sasl-requires-tls'),
  warning('optional', 'required', false, ['sasl-external-tls'], 'sasl-requires-tls'),
  warning('notSupported', 'required', true, ['dialback-tcp'], 'sasl-requires-tls'),
  invalid('notSupported', 'required', false, 'no-method'),
  good('required', 'optional', true, ['sasl-external-tls', 'dialback-tls']),
  good('required', 'optional', false, ['sasl-external-tls']),
  warning('optional', 'optional', true, all, 'sasl-requires-tls'),
  warning('optional', 'optional', false, ['sasl-external-tls'], 'sasl-requires-tls'),
  warning('notSupported', 'optional', true, ['dialback-tcp'], 'sasl-requires-tls'),
  invalid('notSupported', 'optional', false, 'no-method'),
  good('required', 'notSupported', true, ['dialback-tls']),
  invalid('required', 'notSupported', false, 'sasl-or-dialback'),
  good('optional', 'notSupported', true, ['dialback-tls', 'dialback-tcp'], 'peer-decides'),
  invalid('optional', 'notSupported', false, 'sasl-or-dialback'),
  good('notSupported', 'notSupported', true, ['dialback-tcp'], 'tcp-dialback-only'),
  invalid('notSupported', 'notSupported', false, 'sasl-or-dialback'),
]

/** The row that judges these settings. */
export function rowFor({ tls, sasl, dialback }: NegotiationSettings): MatrixRow {
  const found = matrixRows.find(row => row.tls === tls && row.sasl === sasl && row.dialback === dialback)
  if (found === undefined) throw new RangeError(`no such combination: ${tls}, ${sasl}, ${dialback}`)
  return found
}

/**
 * What streams may negotiate under these settings.
 * @throws {RangeError} when the matrix holds them invalid
 */
export function termsOf(settings: NegotiationSettings): Terms {
  const row = rowFor(settings)
  if (!row.valid) throw new RangeError(noteText(row))
  return { tls: row.tls, methods: row.methods }
}

/** The sentences of a row's notes. */
export function noteText(row: MatrixRow): string {
  return row.notes.map(note => matrixNotes[note]).join(' ')
}

function good(
  tls: Requirement,
  sasl: Requirement,
  dialback: boolean,
  methods: readonly Method[],
  ...notes: readonly MatrixNote[]
): MatrixRow {
  return { tls, sasl, dialback, valid: true, methods, severity: 'none', notes }
}

function warning(
  tls: Requirement,
  sasl: Requirement,
  dialback: boolean,
  methods: readonly Method[],
  note: MatrixNote,
): MatrixRow {
  return { tls, sasl, dialback, valid: true, methods, severity: 'warning', notes: [note] }
}

function invalid(tls: Requirement, sasl: Requirement, dialback: boolean, note: MatrixNote): MatrixRow {
  return { tls, sasl, dialback, valid: false, methods: [], severity: 'error', notes: [note] }
}
