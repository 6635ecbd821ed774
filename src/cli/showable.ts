import { recognize, remedyFor } from '../config/encodings.ts'
import { type Certificate, parseCertificate, parsePem } from '../identity/certificate.ts'
import { parsePkcs7 } from '../identity/pkcs7.ts'
import { parseRequest, type Requested } from '../identity/requested.ts'

/** What a file holds that can be shown. */
export type Showable = {
  /** In the order of the file; those of PKCS #7, which has none, the leaf first and then each issuer. */
  readonly chain: readonly Certificate[]
  readonly request?: Requested
  /** What keeps the file from being named in a configuration. */
  readonly note?: string
}

/**
 * Reads what authorities send, and what is sent to them: certificates in PEM, in DER or in PKCS #7, or a request.
 * @throws {Error} naming the file, for anything else, and for what is damaged
 */
export function readShowable(file: string, { text, bytes }: { text: string; bytes: Buffer }): Showable {
  const held = recognize(bytes)
  const remedy = remedyFor(held, file, 'certificate')
  const note = `the configuration takes PEM${remedy}`
  if (held?.kind === 'request') return { chain: [], request: within(file, () => parseRequest(held.der)) }
  if (held?.kind === 'pkcs7') return { chain: inOrder(within(file, () => parsePkcs7(held.der))), note }
  if (held?.kind === 'certificate' && held.as === 'DER')
    return { chain: [within(file, () => parseCertificate(bytes))], note }
  return { chain: readPem(file, text, remedy) }
}

/**
 * Reads the certificates of a PEM file.
 * @param remedy what follows where there is none
 * @throws {Error} naming the file, where there is none or one is damaged
 */
export function readPem(file: string, pem: string, remedy = ''): Certificate[] {
  const chain = within(file, () => parsePem(pem))
  if (chain.length === 0)
    throw new Error(`${file} holds no PEM certificate (-----BEGIN CERTIFICATE-----)${remedy}`)
  return chain
}

function within<Value>(file: string, read: () => Value): Value {
  try {
    return read()
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function inOrder(certificates: readonly Certificate[]): Certificate[] {
  const isIssuer = (one: Certificate) =>
    certificates.some(other => other !== one && other.issuerName === one.subjectName)
  const chain: Certificate[] = []
  let next = certificates.find(one => !isIssuer(one)) ?? certificates[0]
  while (next !== undefined) {
    const last: Certificate = next
    chain.push(last)
    next = certificates.find(one => one.subjectName === last.issuerName && !chain.includes(one))
  }
  return [...chain, ...certificates.filter(one => !chain.includes(one))]
}
