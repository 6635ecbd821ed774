import { openPartnerFile, readPartnerFile } from '../config/partner-file.ts'
import { ConfigError } from '../config/problems.ts'
import { type MatrixRow, matrixRows, noteText, rowFor } from '../policy/matrix.ts'
import type { Partner } from '../policy/partner.ts'
import type { Host } from './host.ts'
import { formatJson, formatProblems, formatTable } from './output.ts'

export type MatrixOptions = {
  /** The configuration whose partners are shown; undefined = none, the bare table. */
  readonly config: string | undefined
  readonly json: boolean
}

/** `matrix`: every combination of the negotiation settings, and which partners use it. */
export function showMatrix({ config, json }: MatrixOptions, host: Host): number {
  if (json) {
    host.out(formatJson(matrixRows))
    return 0
  }
  if (config === undefined) {
    host.out(formatMatrix(undefined))
    return 0
  }
  try {
    // Who is listed, as `partner list` reads it: no secret of the daemon's is needed for that.
    const { entries } = readPartnerFile(openPartnerFile(config))
    host.out(formatMatrix(entries.flatMap(({ partner }) => partner ?? [])))
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    host.out(formatMatrix(undefined))
    host.err(formatProblems(error.problems, host))
    return 1
  }
}

function formatMatrix(partners: readonly Partner[] | undefined): string {
  const users = new Map<MatrixRow, string[]>()
  for (const { primaryDomain, tlsNegotiation, saslNegotiation, dialbackNegotiation } of partners ?? []) {
    const row = rowFor({ tls: tlsNegotiation, sasl: saslNegotiation, dialback: dialbackNegotiation })
    users.set(row, [...(users.get(row) ?? []), primaryDomain])
  }
  const usedBy = (cell: string): string[] => (partners === undefined ? [] : [cell])
  return formatTable([
    ['TLS', 'SASL', 'dialback', 'valid', 'methods, strongest first', ...usedBy('partners'), 'notes'],
    ...matrixRows.map(row => [
      row.tls,
      row.sasl,
      row.dialback ? 'true' : 'false',
      row.valid ? 'yes' : 'no',
      row.methods.join(', ') || '-',
      ...usedBy(users.get(row)?.join(', ') ?? '-'),
      noteText(row),
    ]),
  ])
}
