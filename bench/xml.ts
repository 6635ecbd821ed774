import { Parser } from '@xmpp/xml'
import { Reader, type ReaderHandler } from '../src/xml/reader.ts'

const content = 'jabber:server'
const header =
  `<?xml version='1.0'?><stream:stream xmlns='${content}' xmlns:stream='http://etherx.jabber.org/streams' ` +
  `from='fabrikam.com' to='contoso.com' version='1.0'>`
const limits = { elementBytes: 262_144, depth: 64 }
const stanzas = 40_000
const rounds = 7

/** 80 % chat messages with four children, 20 % presence; 300 bytes on average. */
function traffic(): Buffer {
  const written: string[] = []
  for (let i = 0; i < stanzas; i++) written.push(i % 5 === 4 ? presence(i) : message(i))
  return Buffer.from(written.join(''))
}

function message(i: number): string {
  return (
    `<message from='user${i}@fabrikam.com/desk' to='user${i % 97}@contoso.com' type='chat' id='m${i}'>` +
    `<body>The quick brown fox jumps over the lazy dog, message ${i}</body><active xmlns='http://jabber.org/protocol/chatstates'/>` +
    `<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='m${i}'/></message>`
  )
}

function presence(i: number): string {
  return (
    `<presence from='user${i}@fabrikam.com/desk' to='user${i % 97}@contoso.com'><show>away</show><priority>5</priority>` +
    `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://fabrikam.com/im' ver='q07IKJEyjvHSyhy//CH0CxmKi8w='/></presence>`
  )
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) chunks.push(Buffer.from(bytes.subarray(at, at + size)))
  return chunks
}

/** CPU seconds of the best of several rounds. */
function measure(run: () => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < rounds; i++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    best = Math.min(best, (user + system) / 1e6)
  }
  return best
}

function readAll(chunks: readonly Buffer[], element: ReaderHandler['element']): void {
  const reader = new Reader(content, { header() {}, element, end() {} }, limits)
  reader.write(Buffer.from(header))
  for (const chunk of chunks) reader.write(chunk)
}

function parseAll(chunks: readonly Buffer[], element: () => void): void {
  const parser = new Parser()
  parser.on('element', element)
  parser.write(header)
  for (const chunk of chunks) parser.write(chunk.toString())
}

function report(what: string, bytes: number, seconds: number): void {
  const speed = (bytes / seconds / 1e6).toFixed(0).padStart(6)
  console.log(
    `${what.padEnd(44)}${speed} MB/CPU s ${(stanzas / seconds / 1e3).toFixed(0).padStart(6)} k stanzas/s`,
  )
}

function bytewise(): number {
  const size = limits.elementBytes - 200
  const bytes = Buffer.from(`<message to='a@contoso.com'><body>${'x'.repeat(size)}</body></message>`)
  return measure(() => readAll(cut(bytes, 1), () => {}))
}

const bytes = traffic()
console.log(
  `${stanzas} stanzas, ${(bytes.length / stanzas).toFixed(0)} bytes on average, Node ${process.versions.node}`,
)
for (const size of [16_384, 65_536]) {
  const chunks = cut(bytes, size)
  let seen = 0
  const readEnvelope: ReaderHandler['element'] = slice => {
    if (slice.name !== '' && slice.from && slice.to && slice.type !== `${slice.id}?`) seen++
  }
  console.log(`chunks of ${size} bytes`)
  report(
    '  reader',
    bytes.length,
    measure(() => readAll(chunks, () => seen++)),
  )
  report(
    '  reader; name, from, to, type, id as strings',
    bytes.length,
    measure(() => readAll(chunks, readEnvelope)),
  )
  report(
    '  @xmpp/xml Parser',
    bytes.length,
    measure(() => parseAll(chunks, () => seen++)),
  )
  if (seen !== 3 * rounds * stanzas) throw new Error(`${seen} stanzas were read`)
}
console.log(`${limits.elementBytes} bytes of body, byte by byte: ${(bytewise() * 1000).toFixed(0)} ms CPU`)
