import type { KeyObject } from 'node:crypto'
import {
  bmpString,
  context,
  type Der,
  decode,
  inOrder,
  integer,
  oid,
  printableString,
  sequence,
  set,
  utf8String,
} from './der.ts'
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  type NamesToCertify,
  signed,
  subjectAltName,
} from './issue.ts'
import { oids } from './oids.ts'

/** The parts of a subject's name, in the order in which they are written, each with its longest length (RFC 5280 appendix A). */
export const subjectParts = {
  country: 2,
  state: 128,
  city: 128,
  organization: 64,
  unit: 64,
  commonName: 64,
} as const

/** A subject's name; parts that are undefined are left out. The country is two capital letters. */
export type Subject = { readonly [part in keyof typeof subjectParts]: string | undefined }

/** What is asked of an authority. */
export type CertificationRequest = {
  readonly subject: Subject
  readonly names: NamesToCertify
  /** How the operator calls it; authorities pass over it. */
  readonly friendlyName: string | undefined
  /** The pair whose public key is to be certified: EC or RSA. */
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/**
 * Makes a request for a certificate (PKCS #10, RFC 2986), good for servers and clients alike: the gateway is both.
 * @returns DER
 */
export function certificationRequest(request: CertificationRequest): Buffer {
  const { subject, names, friendlyName, publicKey, privateKey } = request
  const uses = publicKey.asymmetricKeyType === 'rsa' ? (['keyEncipherment'] as const) : []
  const extensions = sequence(
    basicConstraints(false),
    keyUsage(['digitalSignature', ...uses]),
    extendedKeyUsage([oids.serverAuth, oids.clientAuth]),
    subjectAltName(names),
  )
  const attributes = [attribute(oids.extensionRequest, extensions)]
  if (friendlyName !== undefined) attributes.push(attribute(oids.friendlyName, bmpString(friendlyName)))
  const toBeSigned = sequence(
    integer(Buffer.of(0)), // version 1
    distinguishedName(subject),
    decode(publicKey.export({ type: 'spki', format: 'der' })),
    context(0, inOrder(attributes)),
  )
  return signed(toBeSigned, privateKey)
}

function attribute(id: string, value: Der): Der {
  return sequence(oid(id), set(value))
}

function distinguishedName(subject: Subject): Der {
  const parts = Object.keys(subjectParts) as (keyof Subject)[]
  return sequence(
    ...parts.flatMap(part => {
      const text = subject[part]
      if (text === undefined) return []
      // RFC 5280 appendix A: X520countryName is a PrintableString, and nothing else.
      const value = part === 'country' ? printableString(text) : utf8String(text)
      return [set(sequence(oid(oids[part]), value))]
    }),
  )
}
