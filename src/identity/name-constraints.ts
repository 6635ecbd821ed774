import type { Certificate } from './certificate.ts'
import { content, type Der, isContext, members } from './der.ts'
import { xmppAddrDomain } from './names.ts'

/** Which names a CA may certify (RFC 5280 §4.2.1.10). */
export type NameConstraints = {
  /** Permitted DNS subtrees in lower case; undefined where DNS names are not restricted. */
  readonly permitted: readonly string[] | undefined
  readonly excluded: readonly string[]
  /** Other forms (GeneralName tags) that are restricted in whatever way. */
  readonly otherForms: ReadonlySet<number>
}

const form = { otherName: 0, email: 1, dns: 2, directory: 4 } as const

/**
 * Reads the nameConstraints extension.
 * @throws {Error} where it is malformed, or bounds the depth of a subtree, which RFC 5280 forbids
 */
export function readNameConstraints(value: Der): NameConstraints {
  const permitted: string[] = []
  const excluded: string[] = []
  const otherForms = new Set<number>()
  for (const list of members(value)) {
    const isPermitted = isContext(list, 0)
    if (!isPermitted && !isContext(list, 1)) throw new Error('nameConstraints is malformed')
    for (const subtree of members(list)) {
      const [base, ...bounds] = members(subtree)
      if (base === undefined || bounds.length > 0) throw new Error('nameConstraints is malformed')
      const tag = Number(base.type)
      if (tag !== form.dns) otherForms.add(tag)
      else (isPermitted ? permitted : excluded).push(content(base).toLowerCase())
    }
  }
  return { permitted: permitted.length > 0 ? permitted : undefined, excluded, otherForms }
}

/**
 * Whether a CA with these constraints may have certified this certificate's names.
 *
 * DNS constraints bind the domains in SRVName and XmppAddr too, which RFC 5280 leaves free: else a CA confined to
 * fabrikam.com could name contoso.com by them. Of any other restricted form, one name is one too many: such names
 * serve nobody here, and are not compared.
 */
export function permitsNames(constraints: NameConstraints, certificate: Certificate): boolean {
  const { permitted, excluded, otherForms } = constraints
  return (
    domainsOf(certificate).every(
      domain =>
        (permitted === undefined || permitted.some(subtree => isWithin(domain, subtree))) &&
        !excluded.some(subtree => isWithin(domain, subtree) || mayReachInto(domain, subtree)),
    ) && ![...otherForms].some(other => bearsForm(certificate, other))
  )
}

/** How many names `permitsNames` looks at for this at most: each one once, and once with each subtree. */
export function comparisonsOf({ permitted, excluded }: NameConstraints, { names }: Certificate): number {
  const subtrees = (permitted?.length ?? 0) + excluded.length
  return (subtrees + 1) * (names.dns.length + names.srv.length + names.xmpp.length)
}

// IDNA costs some 1.2 µs a name, and every CA above asks anew for the names of thousands that anybody may present.
const knownDomains = new WeakMap<Certificate, readonly string[]>()

function domainsOf(certificate: Certificate): readonly string[] {
  const known = knownDomains.get(certificate)
  if (known !== undefined) return known
  const { dns, srv, xmpp } = certificate.names
  const srvDomains = srv.map(name => name.slice(name.indexOf('.') + 1))
  // An XmppAddr may bear U-labels; constraints never do.
  const xmppDomains = xmpp.map(name => xmppAddrDomain(name) ?? name)
  const domains = [...dns, ...srvDomains, ...xmppDomains].map(name => name.toLowerCase())
  knownDomains.set(certificate, domains)
  return domains
}

// `fabrikam.com` holds itself and what lies below; `.fabrikam.com`, in wide use, only what lies below.
function isWithin(domain: string, subtree: string): boolean {
  if (subtree === '' || domain === subtree) return true
  return domain.endsWith(subtree.startsWith('.') ? subtree : `.${subtree}`)
}

// `*.fabrikam.com` also stands for an excluded `secret.fabrikam.com`.
function mayReachInto(domain: string, subtree: string): boolean {
  return domain.startsWith('*.') && subtree.endsWith(domain.slice(1))
}

function bearsForm(certificate: Certificate, tag: number): boolean {
  if (certificate.nameForms.has(tag)) return true
  if (tag === form.directory) return certificate.subjectName !== emptyName
  return tag === form.email && certificate.hasSubjectEmail
}

const emptyName = '0\0' // an empty SEQUENCE in DER
