import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { type Der, nothing, oid, sequence } from '../../src/identity/der.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  type NamesToCertify,
  type SignatureAlgorithm,
  signCertificate,
  subjectAltName,
  toPem,
} from '../../src/identity/issue.ts'
import type { KeyUsage } from '../../src/identity/key-usage.ts'
import { type NameConstraintsToCertify, nameConstraints } from './name-constraints.ts'

const purposes = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
} as const

/** What a test certificate is to be. Everything may be left out. */
export type CertificateOptions = {
  /** subjectAltName; SRVNames with their service, as `_xmpp-server.contoso.com`. Default: none. */
  names?: NamesToCertify
  /** Subject common name, which nobody may match. Default for a leaf: its first name. */
  commonName?: string
  /** Extended key usage. Default for a leaf: serverAuth alone, as public CAs issue; for a CA: absent. */
  eku?: readonly (keyof typeof purposes)[] | 'absent'
  keyUsage?: readonly KeyUsage[] | 'absent'
  /** Default: yesterday. */
  notBefore?: Date
  /** Default: in 30 days. */
  notAfter?: Date
  isCa?: boolean | 'absent'
  pathLength?: number
  nameConstraints?: NameConstraintsToCertify
  /** Kind of a new key pair. Default: `ec`, which is P-256. The RSA kinds take up to 0.2 s. */
  key?: keyof typeof newKeyPair
  /** Digest of the issuer's signature. Default: sha256. */
  signature?: 'sha256' | 'sha1'
  /** Use this key pair instead of a new one. */
  keyPair?: KeyPair
  /** More extensions, made by `extension` of src/identity/issue.ts. */
  extensions?: readonly Der[]
}

export type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }

/** A certificate and its private key. */
export type Issued = {
  /** The certificate alone. */
  readonly certificatePem: string
  /** The certificate, then the CA certificates up to the root, which is left out: what a server presents. */
  readonly chainPem: string
  readonly keyPem: string
  /** The certificate in DER. */
  readonly certificate: Buffer
  readonly keyPair: KeyPair
}

/** A CA in memory: an `Issued` that issues. */
export type Authority = Issued & {
  readonly name: string
  /** Issues a leaf certificate. */
  issue(options?: CertificateOptions): Issued
  /** Issues a leaf for a domain: dNSName, SRVName and XmppAddr. */
  issueFor(domain: string, options?: CertificateOptions): Issued
  /** Issues a CA certificate below this one. */
  intermediate(options?: CertificateOptions): Authority
}

/** Makes a root CA: a self-signed certificate that tests give out as the trust anchor (`certificatePem`). */
export function createAuthority(options: CertificateOptions & { name?: string } = {}): Authority {
  const name = options.name ?? options.commonName ?? 'Test Root'
  const keyPair = options.keyPair ?? newKeyPair[options.key ?? 'ec']()
  const root = certify(name, { ...authorityDefaults, ...options, keyPair }, { name, keyPair })
  return asAuthority(name, { ...root, chainPem: '' })
}

/** Makes a leaf certificate signed by its own key. */
export function createSelfSigned(options: CertificateOptions = {}): Issued {
  const name = subjectOf(options)
  const keyPair = options.keyPair ?? newKeyPair[options.key ?? 'ec']()
  const leaf = certify(name, { ...leafDefaults, ...options, keyPair }, { name, keyPair })
  return { ...leaf, chainPem: leaf.certificatePem }
}

/** The names a partner's certificate bears for a domain: dNSName, SRVName and XmppAddr. */
export function allNames(...domains: readonly string[]): Required<NamesToCertify> {
  return { dns: domains, srv: domains.map(domain => `_xmpp-server.${domain}`), xmpp: domains }
}

/** A moment so many days from now (before, if negative). */
export function daysFromNow(days: number): Date {
  return new Date(Date.now() + days * 86_400_000)
}

const leafDefaults = {
  isCa: false,
  eku: ['serverAuth'],
  keyUsage: ['digitalSignature', 'keyEncipherment'],
} satisfies CertificateOptions

const authorityDefaults = {
  isCa: true,
  eku: 'absent',
  keyUsage: ['keyCertSign', 'cRLSign'],
} satisfies CertificateOptions

const newKeyPair = {
  ec: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p224: () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa2048: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  rsa1024: () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
} satisfies Record<string, () => KeyPair>

function asAuthority(name: string, own: Issued): Authority {
  const issuer = { name, keyPair: own.keyPair }
  const issue = (options: CertificateOptions = {}): Issued => {
    const leaf = certify(subjectOf(options), { ...leafDefaults, ...options }, issuer)
    return { ...leaf, chainPem: leaf.certificatePem + own.chainPem }
  }
  return {
    ...own,
    name,
    issue,
    issueFor: (domain, options) => issue({ names: allNames(domain), ...options }),
    intermediate: (options = {}) => {
      const below = options.commonName ?? `Intermediate below ${name}`
      const certified = certify(below, { ...authorityDefaults, ...options }, issuer)
      return asAuthority(below, { ...certified, chainPem: certified.certificatePem + own.chainPem })
    },
  }
}

function subjectOf({ commonName, names }: CertificateOptions): string {
  return commonName ?? names?.dns?.[0] ?? names?.xmpp?.[0] ?? names?.srv?.[0] ?? 'leaf'
}

function certify(
  subject: string,
  options: CertificateOptions,
  issuer: { name: string; keyPair: KeyPair },
): Omit<Issued, 'chainPem'> {
  const keyPair = options.keyPair ?? newKeyPair[options.key ?? 'ec']()
  const certificate = signCertificate(
    {
      serial: randomBytes(16),
      issuer: issuer.name,
      subject,
      notBefore: options.notBefore ?? daysFromNow(-1),
      notAfter: options.notAfter ?? daysFromNow(30),
      publicKey: keyPair.publicKey,
      extensions: extensionsOf(options),
    },
    issuer.keyPair.privateKey,
    signatureAlgorithm(issuer.keyPair.privateKey, options.signature),
  )
  const keyPem = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificate, certificatePem: toPem(certificate), keyPem, keyPair }
}

function extensionsOf(options: CertificateOptions): Der[] {
  const extensions: Der[] = []
  if (options.isCa !== undefined && options.isCa !== 'absent')
    extensions.push(basicConstraints(options.isCa, options.pathLength))
  if (options.keyUsage !== undefined && options.keyUsage !== 'absent')
    extensions.push(keyUsage(options.keyUsage))
  if (options.eku !== undefined && options.eku !== 'absent')
    extensions.push(extendedKeyUsage(options.eku.map(purpose => purposes[purpose])))
  if (options.names !== undefined) extensions.push(subjectAltName(options.names))
  if (options.nameConstraints !== undefined) extensions.push(nameConstraints(options.nameConstraints))
  return [...extensions, ...(options.extensions ?? [])]
}

// Undefined leaves the choice to the code under test, which signs with SHA-256.
function signatureAlgorithm(key: KeyObject, digest?: 'sha256' | 'sha1'): SignatureAlgorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return { digest: null, identifier: sequence(oid('1.3.101.112')) }
  if (digest !== 'sha1') return undefined
  return key.asymmetricKeyType === 'rsa'
    ? { digest, identifier: sequence(oid('1.2.840.113549.1.1.5'), nothing()) }
    : { digest, identifier: sequence(oid('1.2.840.10045.4.1')) }
}
