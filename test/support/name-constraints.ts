import { context, type Der, sequence } from '../../src/identity/der.ts'
import { extension } from '../../src/identity/issue.ts'

/** A constraint on names, by its form: a DNS subtree, or the raw octets of an IP range or a mail domain. */
export type NameForms = {
  readonly dns?: readonly string[]
  readonly email?: readonly string[]
  readonly ip?: readonly Buffer[]
}

/** What a CA certificate of a test permits and excludes (RFC 5280 §4.2.1.10). */
export type NameConstraintsToCertify = { readonly permitted?: NameForms; readonly excluded?: NameForms }

/** The critical extension that bears these constraints. */
export function nameConstraints({ permitted, excluded }: NameConstraintsToCertify): Der {
  return extension(
    '2.5.29.30',
    sequence(
      ...(permitted === undefined ? [] : [context(0, subtrees(permitted))]),
      ...(excluded === undefined ? [] : [context(1, subtrees(excluded))]),
    ),
    true,
  )
}

function subtrees(forms: NameForms): Der[] {
  return [
    ...(forms.dns ?? []).map(name => sequence(context(2, name))),
    ...(forms.email ?? []).map(name => sequence(context(1, name))),
    ...(forms.ip ?? []).map(range => sequence(context(7, range.toString('latin1')))),
  ]
}
