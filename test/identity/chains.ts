import { context, ia5String, octetString, sequence } from '../../src/identity/der.ts'
import { extension } from '../../src/identity/issue.ts'
import {
  type Authority,
  type CertificateOptions,
  createAuthority,
  createSelfSigned,
  daysFromNow,
} from '../support/certificates.ts'
import type { PresentedChain } from './openssl-verify.ts'

/** What was presented and trusted; the time is now unless said otherwise. */
export type Chain = Omit<PresentedChain, 'at'> & { readonly at?: Date }

const domain = 'fabrikam.com'

/** Root → leaf, each with the options given. */
export function below(root: CertificateOptions, leaf: CertificateOptions = {}): Chain {
  const authority = createAuthority(root)
  return {
    leaf: authority.issueFor(domain, leaf).certificate,
    others: [],
    anchors: [authority.certificate],
  }
}

/** Root → intermediate → leaf, the intermediate sent along. */
export function below2(options: {
  root?: CertificateOptions
  intermediate?: CertificateOptions
  leaf?: CertificateOptions
}): Chain {
  return stack(createAuthority(options.root), [options.intermediate ?? {}], options.leaf)
}

/** Root → any number of intermediates → leaf. */
export function stack(root: Authority, levels: CertificateOptions[], leaf?: CertificateOptions): Chain {
  const others: Buffer[] = []
  let authority = root
  for (const [index, level] of levels.entries()) {
    authority = authority.intermediate({ commonName: `CA ${index}`, ...level })
    others.push(authority.certificate)
  }
  return { leaf: authority.issueFor(domain, leaf).certificate, others, anchors: [root.certificate] }
}

/** The intermediates from the root down and not up, a stranger between them, and the root itself. */
export function shuffled(): Chain {
  const chain = stack(createAuthority(), [{}, {}, {}])
  const stranger = createAuthority({ name: 'Stranger' }).certificate
  return { ...chain, others: [...chain.anchors, stranger, ...chain.others.toReversed()] }
}

/** The root is trusted, its namesake has signed. */
export function namesake(): Chain {
  const chain = below({})
  return { ...chain, anchors: [createAuthority().certificate] }
}

export function selfSigned(options: CertificateOptions & { isAnchor: boolean }): Chain {
  const leaf = createSelfSigned({ names: { dns: [domain] }, ...options }).certificate
  const anchor = options.isAnchor ? leaf : createAuthority().certificate
  return { leaf, others: [], anchors: [anchor] }
}

/** The end of the signature changed. */
export function forged(chain: Chain): Chain {
  const leaf = Buffer.from(chain.leaf)
  leaf[leaf.length - 1]! ^= 1
  return { ...chain, leaf }
}

/** A leaf's key signs another leaf. */
export function issuedByLeaf(options: CertificateOptions): Chain {
  const root = createAuthority()
  const issuer = root.intermediate({ isCa: false, ...options })
  return {
    leaf: issuer.issueFor(domain).certificate,
    others: [issuer.certificate],
    anchors: [root.certificate],
  }
}

/** Two certificates of one intermediate: the first has expired. */
export function crossSigned(): Chain {
  const [old, root] = [createAuthority({ name: 'Old Root' }), createAuthority({ name: 'New Root' })]
  const expired = old.intermediate({
    commonName: 'Shared',
    notBefore: daysFromNow(-9),
    notAfter: daysFromNow(-1),
  })
  const current = root.intermediate({ commonName: 'Shared', keyPair: expired.keyPair })
  return {
    leaf: current.issueFor(domain).certificate,
    others: [expired.certificate, current.certificate],
    anchors: [old.certificate, root.certificate],
  }
}

/** Two intermediates that have signed each other, and no root. */
export function loop(): Chain {
  const [a, b] = [createAuthority({ name: 'A' }), createAuthority({ name: 'B' })]
  const aByB = b.intermediate({ commonName: 'A', keyPair: a.keyPair })
  const bByA = a.intermediate({ commonName: 'B', keyPair: b.keyPair })
  return {
    leaf: aByB.issueFor(domain).certificate,
    others: [aByB.certificate, bByA.certificate],
    anchors: [createAuthority().certificate],
  }
}

/**
 * A root that allows no CA below, a certificate in its own name for its next key, and a leaf of that key. OpenSSL needs
 * the key identifiers to tell the two apart.
 */
export function selfIssued(): Chain {
  const isKey = (key: string) => extension('2.5.29.14', octetString(Buffer.from(key)))
  const byKey = (key: string) => extension('2.5.29.35', sequence(context(0, key)))
  const root = createAuthority({ name: 'Root', pathLength: 0, extensions: [isKey('1')] })
  const next = { commonName: 'Root', extensions: [isKey('2'), byKey('1')] }
  return stack(root, [next], { extensions: [byKey('2')] })
}

/** An extension that nobody knows. */
export function unknownExtension(critical: boolean): CertificateOptions {
  return { extensions: [extension('1.3.6.1.4.1.99999.1', ia5String('?'), critical)] }
}
