import { isQualifiedName } from './characters.ts'

/** The prefix of the namespace of streams is `stream`, as RFC 6120 §4.8.5 wants it for old implementations. */
const streamNamespace = 'http://etherx.jabber.org/streams'
const dialbackNamespace = 'jabber:server:dialback'

/** What a stream header of ours says (RFC 6120 §4.7); `content` is the content namespace. */
export type HeaderFields = {
  readonly content: string
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly id?: string | undefined
  readonly version?: '1.0' | undefined
  readonly lang?: string | undefined
  /** Declare the prefix `db`, which also tells peers that we do dialback (XEP-0220 §2.3.1). */
  readonly dialback?: boolean
}

/** The XML declaration and the stream's open tag. */
export function streamHeader(fields: HeaderFields): string {
  const attributes = writeAttributes({
    xmlns: fields.content,
    'xmlns:stream': streamNamespace,
    'xmlns:db': fields.dialback ? dialbackNamespace : undefined,
    from: fields.from,
    to: fields.to,
    id: fields.id,
    version: fields.version,
    'xml:lang': fields.lang,
  })
  return `<?xml version='1.0'?><stream:stream${attributes}>`
}

/** Ends a stream that `streamHeader` began. */
export const streamFooter = '</stream:stream>'

/**
 * Writes one element; its children are XML already.
 * @throws {RangeError} when a name is none
 */
export function tag(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...children: readonly string[]
): string {
  const start = `<${checkName(name)}${writeAttributes(attributes)}`
  const content = children.join('')
  return content === '' ? `${start}/>` : `${start}>${content}</${name}>`
}

/** Text as element content; what no XML document may hold is left out (XML 1.0 §2.2). */
export function escapeText(text: string): string {
  return text.replace(neverXml, '').replace(/[&<>\r]/g, reference)
}

/**
 * Text as an attribute's value, in either kind of quotes. White space other than the space goes as character
 * references, or the reader would turn it into spaces (XML 1.0 §3.3.3).
 */
export function escapeAttribute(text: string): string {
  return text.replace(neverXml, '').replace(/[&<>'"\t\n\r]/g, reference)
}

const neverXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '"': '&quot;',
}

function reference(character: string): string {
  return named[character] ?? `&#${character.charCodeAt(0)};`
}

function writeAttributes(attributes: Readonly<Record<string, string | undefined>>): string {
  let written = ''
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) written += ` ${checkName(name)}='${escapeAttribute(value)}'`
  }
  return written
}

// Whoever writes a name that he took from a peer would let that peer write markup.
function checkName(name: string): string {
  if (!isQualifiedName(name)) throw new RangeError(`not an XML name: ${JSON.stringify(name)}`)
  return name
}
