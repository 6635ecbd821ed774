import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { context, sequence } from '../../src/identity/der.ts'
import { extension, type NamesToCertify } from '../../src/identity/issue.ts'
import { permitsNames } from '../../src/identity/name-constraints.ts'
import { createAuthority } from '../support/certificates.ts'
import type { NameConstraintsToCertify } from '../support/name-constraints.ts'

type Row = readonly [
  what: string,
  constraints: NameConstraintsToCertify,
  names: NamesToCertify,
  permitted: boolean,
]

const fabrikamOnly = { permitted: { dns: ['Fabrikam.com'] } }
const noContoso = { excluded: { dns: ['contoso.com'] } }
const noIdn = { excluded: { dns: ['xn--bcher-kva.example'] } }

describe('a CA confined by name constraints (RFC 5280 §4.2.1.10)', () => {
  test.each([
    ['may name the subtree', fabrikamOnly, { dns: ['fabrikam.com'] }, true],
    ['may name what lies below', fabrikamOnly, { dns: ['a.b.FABRIKAM.com'] }, true],
    ['may name it by wildcard', fabrikamOnly, { dns: ['*.fabrikam.com'] }, true],
    ['may not name what ends alike', fabrikamOnly, { dns: ['notfabrikam.com'] }, false],
    ['may not name another beside', fabrikamOnly, { dns: ['fabrikam.com', 'contoso.com'] }, false],
    ['may name it by SRVName', fabrikamOnly, { srv: ['_xmpp-server.fabrikam.com'] }, true],
    ['may not name another by SRVName', fabrikamOnly, { srv: ['_xmpp-server.contoso.com'] }, false],
    ['may not name another by XmppAddr', fabrikamOnly, { xmpp: ['contoso.com'] }, false],
    ['may not name another in U-labels', fabrikamOnly, { xmpp: ['bücher.example'] }, false],
    ['may name no one', fabrikamOnly, {}, true],
    [
      'may name only below a leading dot',
      { permitted: { dns: ['.fabrikam.com'] } },
      { dns: ['fabrikam.com'] },
      false,
    ],
    [
      'may name below a leading dot',
      { permitted: { dns: ['.fabrikam.com'] } },
      { dns: ['a.fabrikam.com'] },
      true,
    ],
    ['may name one of two', { permitted: { dns: ['a.example', 'b.example'] } }, { dns: ['b.example'] }, true],
    ['may not name the excluded', noContoso, { dns: ['it.contoso.com'] }, false],
    ['may name the others', noContoso, { dns: ['fabrikam.com'], xmpp: ['fabrikam.com'] }, true],
    ['may not reach the excluded by wildcard', noContoso, { dns: ['*.com'] }, false],
    [
      'may reach beside the excluded',
      { excluded: { dns: ['a.b.contoso.com'] } },
      { dns: ['*.fabrikam.com'] },
      true,
    ],
    ['may not name the excluded in U-labels', noIdn, { xmpp: ['Bücher.example'] }, false],
    ['may name no DNS at all', { excluded: { dns: [''] } }, { dns: ['fabrikam.com'] }, false],
  ] satisfies Row[])('%s', (_, nameConstraints, names, permitted) => {
    expect(judge(nameConstraints, names)).toBe(permitted)
  })

  // GeneralName tags (RFC 5280 §4.2.1.6); the leaf bears an IP address, and its subject a common name.
  test.each([
    ['addresses', 7, false],
    ['directory names', 4, false],
    ['mail addresses', 1, true],
    ['URIs', 6, true],
  ])('may certify a leaf where %s are restricted in whatever way: %s %s', (_, form, permitted) => {
    const address = extension('2.5.29.17', sequence(context(7, '\x7f\0\0\x01')))
    const leaf = createAuthority().issue({ extensions: [address] })
    const constraints = { permitted: undefined, excluded: [], otherForms: new Set([form]) }
    expect(permitsNames(constraints, parseCertificate(leaf.certificate))).toBe(permitted)
  })
})

function judge(nameConstraints: NameConstraintsToCertify, names: NamesToCertify): boolean {
  const authority = createAuthority({ nameConstraints })
  const constraints = parseCertificate(authority.certificate).nameConstraints ?? expect.fail('not read')
  return permitsNames(
    constraints,
    parseCertificate(authority.issue({ commonName: 'leaf', names }).certificate),
  )
}
