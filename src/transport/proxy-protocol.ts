/** What the first bytes of a connection say of the balancer's PROXY header. */
export type ProxyHeader =
  | { readonly is: 'incomplete' }
  | { readonly is: 'malformed'; readonly reason: string }
  /** `bytes` long; `source` is where the balancer's client connects from, undefined where the balancer speaks for itself. */
  | { readonly is: 'complete'; readonly bytes: number; readonly source: string | undefined }

/**
 * Reads a PROXY header, version 1 or 2 (haproxy's proxy-protocol.txt, §2.1 and §2.2), at the start of what came so far.
 * Version 1 is at most 107 bytes long; of version 2 at most 4096 are taken, which leaves room for a certificate among its
 * TLVs. Those are skipped, unread.
 */
export function readProxyHeader(begun: Uint8Array): ProxyHeader {
  if (begun.length === 0) return { is: 'incomplete' }
  if (begun[0] === signature[0]) return readBinary(begun)
  return readLine(begun)
}

const keyword = Buffer.from('PROXY ')
const mostOfLine = 107
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n')
const fixedBytes = 16
const mostOfBinary = 4096

function malformed(reason: string): ProxyHeader {
  return { is: 'malformed', reason }
}

function beginsAs(begun: Uint8Array, expected: Buffer): boolean {
  const known = Math.min(begun.length, expected.length)
  return expected.subarray(0, known).equals(begun.subarray(0, known))
}

function readLine(begun: Uint8Array): ProxyHeader {
  if (!beginsAs(begun, keyword)) return malformed('it does not begin with a PROXY header')
  const text = Buffer.from(begun.subarray(0, mostOfLine)).toString('latin1')
  const end = text.indexOf('\r\n')
  if (end === -1 && begun.length < mostOfLine) return { is: 'incomplete' }
  if (end === -1) return malformed(`its PROXY line is longer than ${mostOfLine} bytes`)
  const line = text.slice(0, end)
  const bytes = end + 2
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { is: 'complete', bytes, source: undefined }
  const [, version, source = '', destination = '', ...ports] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d+) (\d+)$/.exec(line) ?? []
  const address = version === '4' ? ipv4 : ipv6
  const from = address(source)
  const isWhole = from !== undefined && address(destination) !== undefined && ports.every(isPort)
  return isWhole ? { is: 'complete', bytes, source: from } : malformed('its PROXY line is malformed')
}

const commands = { local: 0, proxy: 1 } as const
/** By address family, UNSPEC, INET, INET6, UNIX: how many bytes the two addresses take with their ports. */
const addressBytes = [0, 12, 36, 216] as const
const highestProtocol = 2
const stream = 1

function readBinary(begun: Uint8Array): ProxyHeader {
  if (!beginsAs(begun, signature)) return malformed('it does not begin with a PROXY header')
  if (begun.length < fixedBytes) return { is: 'incomplete' }
  const header = Buffer.from(begun.buffer, begun.byteOffset, begun.length)
  const [version, command] = nibbles(header.readUInt8(12))
  const [family, protocol] = nibbles(header.readUInt8(13))
  const length = header.readUInt16BE(14)
  const bytes = fixedBytes + length
  if (version !== 2) return malformed(`its PROXY header has version ${version}`)
  if (command > commands.proxy) return malformed(`its PROXY header has command ${command}`)
  if (bytes > mostOfBinary) return malformed(`its PROXY header is longer than ${mostOfBinary} bytes`)
  if (command === commands.local)
    return header.length < bytes ? { is: 'incomplete' } : { is: 'complete', bytes, source: undefined }
  const least = addressBytes[family]
  if (least === undefined || protocol > highestProtocol)
    return malformed('its PROXY header has an unknown family or protocol')
  if (length < least) return malformed('its PROXY header is too short for its addresses')
  if (header.length < bytes) return { is: 'incomplete' }
  return { is: 'complete', bytes, source: protocol === stream ? sourceOf(header, family) : undefined }
}

/** What is neither IPv4 nor IPv6 counts as the balancer itself (§2.2: falling back to UNSPEC). */
function sourceOf(header: Buffer, family: number): string | undefined {
  if (family === 1) return header.subarray(fixedBytes, fixedBytes + 4).join('.')
  if (family !== 2) return undefined
  const groups = Array.from({ length: 8 }, (_, at) => header.readUInt16BE(fixedBytes + 2 * at).toString(16))
  return ipv6(groups.join(':'))
}

function nibbles(byte: number): readonly [number, number] {
  return [byte >> 4, byte & 0x0f]
}

function ipv4(text: string): string | undefined {
  const parts = text.split('.')
  const isAddress = parts.length === 4 && parts.every(part => isDecimal(part) && Number(part) <= 255)
  return isAddress ? text : undefined
}

/** In the shortest form (RFC 5952); an IPv4 address within is told as one. */
function ipv6(text: string): string | undefined {
  if (!/^[\da-f:.]+$/i.test(text)) return undefined
  const address = URL.parse(`http://[${text}]/`)?.hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(address ?? '') ?? []
  if (high === undefined || low === undefined) return address
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [first >> 8, first & 0xff, second >> 8, second & 0xff].join('.')
}

function isPort(text: string): boolean {
  return isDecimal(text) && Number(text) <= 65_535
}

/** Without leading zeros, which some read as octal. */
function isDecimal(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text)
}
