import forge from 'node-forge'

const { asn1 } = forge
const { Class, Type } = asn1

/** One ASN.1 value. Primitive content is a binary string, one character per octet. */
export type Der = forge.asn1.Asn1

const maxDepth = 32 // a certificate needs about ten levels

// The published types know the second argument as a boolean only.
const fromDer = asn1.fromDer as unknown as (
  octets: string,
  options: { strict: true; decodeBitStrings: false; maxDepth: number },
) => Der

/**
 * Reads one ASN.1 value and nothing behind it.
 * @throws {Error} for anything that is not DER (X.690 §10), such as a length that is not minimal
 */
export function decode(der: Buffer | string): Der {
  const octets = typeof der === 'string' ? der : der.toString('latin1')
  const value = fromDer(octets, { strict: true, decodeBitStrings: false, maxDepth })
  // What reads back differently was BER, and another parser may have seen something else in it.
  if (hasLongTag(value) || asn1.toDer(value).getBytes() !== octets) throw new Error('not DER')
  return value
}

/** Writes an ASN.1 value as DER. */
export function encode(value: Der): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1')
}

/** Whether a value bears this universal tag. */
export function isUniversal(value: Der | undefined, type: number): value is Der {
  return value !== undefined && value.tagClass === Class.UNIVERSAL && value.type === type
}

/** Whether a value bears this context-specific tag. */
export function isContext(value: Der | undefined, tag: number): value is Der {
  return value !== undefined && value.tagClass === Class.CONTEXT_SPECIFIC && Number(value.type) === tag
}

/**
 * The members of a constructed value.
 * @throws {Error} when the value is absent or primitive
 */
export function members(value: Der | undefined): readonly Der[] {
  if (value === undefined || typeof value.value === 'string') throw new Error('a structure is missing')
  return value.value
}

/**
 * The octets of a primitive value, as a binary string.
 * @throws {Error} when the value is absent or constructed
 */
export function content(value: Der | undefined): string {
  if (value === undefined || typeof value.value !== 'string') throw new Error('a plain value is missing')
  return value.value
}

/**
 * Reads an object identifier in dotted form.
 * @throws {Error} when the value is none
 */
export function readOid(value: Der | undefined): string {
  if (!isUniversal(value, Type.OID)) throw new Error('an object identifier is missing')
  return asn1.derToOid(content(value))
}

/** Makes a SEQUENCE of these members. */
export function sequence(...items: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items])
}

/** Makes a SET of these members, which must be in DER order. */
export function set(...items: readonly Der[]): Der {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...items])
}

/** Makes an OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Der {
  return primitive(Type.OID, asn1.oidToDer(dotted).getBytes())
}

/** A non-negative INTEGER from its octets, most significant first. */
export function integer(octets: Buffer): Der {
  const first = octets.findIndex(octet => octet !== 0)
  const bare = first < 0 ? Buffer.alloc(0) : octets.subarray(first)
  const isPadded = bare.length === 0 || bare[0]! >= 0x80
  return primitive(Type.INTEGER, `${isPadded ? '\0' : ''}${bare.toString('latin1')}`)
}

/** Makes a BOOLEAN. */
export function boolean(value: boolean): Der {
  return primitive(Type.BOOLEAN, value ? '\xff' : '\0')
}

/** Makes a NULL. */
export function nothing(): Der {
  return primitive(Type.NULL, '')
}

/** Makes an OCTET STRING. */
export function octetString(octets: Buffer): Der {
  return primitive(Type.OCTETSTRING, octets.toString('latin1'))
}

/** Makes a BIT STRING; the last octet may have unused bits, which must be 0. */
export function bitString(octets: Buffer, unusedBits = 0): Der {
  return primitive(Type.BITSTRING, String.fromCharCode(unusedBits) + octets.toString('latin1'))
}

/** Makes a UTF8String. */
export function utf8String(text: string): Der {
  return primitive(Type.UTF8, Buffer.from(text).toString('latin1'))
}

/** Makes a PrintableString; the text must be of its letters, as the two of a country are. */
export function printableString(text: string): Der {
  return primitive(Type.PRINTABLESTRING, text)
}

/** Makes a BMPString; of this type alone, the value is text and not octets. */
export function bmpString(text: string): Der {
  return primitive(Type.BMPSTRING, text)
}

/** Makes an IA5String; the text must be ASCII. */
export function ia5String(text: string): Der {
  return primitive(Type.IA5STRING, text)
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). Whole seconds. */
export function time(date: Date): Der {
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, asn1.dateToUtcTime(date))
    : primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(date))
}

/** A context-specific value: constructed from members, or primitive from a binary string. */
export function context(tag: number, value: string | readonly Der[]): Der {
  return typeof value === 'string'
    ? asn1.create(Class.CONTEXT_SPECIFIC, tag, false, value)
    : asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [...value])
}

/** The members of a SET OF by their encodings, as DER wants them (X.690 §11.6). */
export function inOrder(items: readonly Der[]): Der[] {
  return items.toSorted((one, other) => Buffer.compare(encode(one), encode(other)))
}

function primitive(type: number, octets: string): Der {
  return asn1.create(Class.UNIVERSAL, type, false, octets)
}

// Tags above 30 take more octets, which the parser would read as a length. No certificate has them.
function hasLongTag(value: Der): boolean {
  return Number(value.type) === 31 || (Array.isArray(value.value) && value.value.some(hasLongTag))
}
