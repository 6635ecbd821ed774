import { X509Certificate } from 'node:crypto'

/** What a file turns out to hold where PEM of a certificate or a key was to be. */
export type Held = {
  readonly kind: 'certificate' | 'pkcs7' | 'pkcs12' | 'request' | 'key' | 'utf16'
  /** `mislabelled` = PEM by a label that is not understood everywhere; Windows gives PKCS #7 that of a certificate. */
  readonly as: 'DER' | 'PEM' | 'mislabelled'
  /** Its DER; empty for text in UTF-16. */
  readonly der: Buffer
}

/** Finds out by its labels, or its first bytes, what a file holds; undefined where it is nothing that is known here. */
export function recognize(bytes: Buffer): Held | undefined {
  const mark = bytes.subarray(0, 2).toString('hex')
  if (mark === 'fffe' || mark === 'feff') return { kind: 'utf16', as: 'PEM', der: Buffer.alloc(0) }
  const kind = kindOfDer(bytes)
  if (kind !== undefined) return { kind, as: 'DER', der: bytes }
  for (const [, label = '', base64 = ''] of bytes.toString('utf8').matchAll(pemBlock)) {
    const labelled = labels[label]
    if (labelled === undefined) continue
    const der = Buffer.from(base64, 'base64')
    if (labelled !== 'certificate') return { kind: labelled, as: 'PEM', der }
    const isPkcs7 = kindOfDer(der) === 'pkcs7'
    const as = isPkcs7 || label !== 'CERTIFICATE' ? 'mislabelled' : 'PEM'
    return { kind: isPkcs7 ? 'pkcs7' : 'certificate', as, der }
  }
  return undefined
}

/** The words that follow "FILE holds no PEM certificate" or "… no PEM private key": what it holds, and what to do about it. */
export function remedyFor(held: Held | undefined, file: string, wanted: 'certificate' | 'key'): string {
  if (held === undefined) return ''
  const { kind, as } = held
  if (kind === wanted && as === 'PEM') return `; the ${names[kind]} in it is damaged`
  const command = commandFor(held, file, wanted)
  const what = `; it is a ${names[kind]}${as === 'PEM' ? '' : as === 'DER' ? ' in DER' : ' by another label'}`
  return command === undefined ? what : `${what}, of which this makes PEM: ${command}`
}

const names = {
  certificate: 'certificate',
  pkcs7: 'PKCS #7 chain of certificates',
  pkcs12: 'PKCS #12 store of certificates and keys',
  request: 'request for a certificate (the certificate is what the authority sends back)',
  key: 'private key',
  utf16: 'text in UTF-16',
} satisfies Record<Held['kind'], string>

function commandFor({ kind, as }: Held, file: string, wanted: 'certificate' | 'key'): string | undefined {
  const given = quoted(file)
  const made = quoted(`${file}.pem`)
  const form = as === 'DER' ? ' -inform DER' : ''
  switch (kind) {
    case 'certificate':
      return wanted === 'key' ? undefined : `openssl x509${form} -in ${given} -out ${made}`
    case 'pkcs7':
      if (wanted === 'key') return undefined
      return as === 'mislabelled'
        ? `sed 's/ CERTIFICATE-/ PKCS7-/' ${given} | openssl pkcs7 -print_certs -out ${made}`
        : `openssl pkcs7 -print_certs${form} -in ${given} -out ${made}`
    case 'pkcs12':
      return `openssl pkcs12 -nodes ${wanted === 'key' ? '-nocerts' : '-nokeys'} -in ${given} -out ${made}`
    case 'key':
      return wanted === 'key' ? `openssl pkey${form} -in ${given} -out ${made}` : undefined
    case 'utf16':
      return `iconv -f UTF-16 -t UTF-8 ${given} > ${made}`
    case 'request':
      return undefined
  }
}

function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`
}

const labels: Readonly<Record<string, Held['kind']>> = {
  CERTIFICATE: 'certificate',
  'X509 CERTIFICATE': 'certificate',
  'TRUSTED CERTIFICATE': 'certificate',
  PKCS7: 'pkcs7',
  CMS: 'pkcs7',
  'CERTIFICATE REQUEST': 'request',
  'NEW CERTIFICATE REQUEST': 'request',
  'PRIVATE KEY': 'key',
  'RSA PRIVATE KEY': 'key',
  'EC PRIVATE KEY': 'key',
  'ENCRYPTED PRIVATE KEY': 'key',
}
const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)/g

/** The first octets of a SEQUENCE, in hex: its tag and its length. */
const sequence = '30(?:[0-7].|80|81..|82.{4}|83.{6}|84.{8})'

const beginnings = [
  ['pkcs7', `${sequence}06092a864886f70d010702`], // ContentInfo: signedData (RFC 2315 §7)
  ['pkcs12', `${sequence}020103${sequence}`], // PFX: version 3 (RFC 7292 §4)
  ['key', `${sequence}02010[01](?:30|02|04)`], // PKCS #8, PKCS #1, SEC 1
  ['key', `${sequence}${sequence}06..2a864886f70d01(?:05|0c)`], // encrypted by a passphrase (RFC 5958 §3)
  ['request', `${sequence}${sequence}020100${sequence}`], // version 1, and a name (RFC 2986 §4.1)
] as const

function kindOfDer(bytes: Buffer): Held['kind'] | undefined {
  if (bytes[0] !== 0x30) return undefined
  if (isCertificate(bytes)) return 'certificate'
  const head = bytes.subarray(0, 64).toString('hex')
  return beginnings.find(([, beginning]) => new RegExp(`^${beginning}`).test(head))?.[0]
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0
  } catch {
    return false
  }
}
