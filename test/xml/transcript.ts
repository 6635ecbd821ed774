import { XmlFault } from '../../src/xml/fault.ts'
import { Reader, type Slice, type XmlLimits } from '../../src/xml/reader.ts'

export const server = 'jabber:server'
export const streams = 'http://etherx.jabber.org/streams'
export const header = `<stream:stream xmlns='${server}' xmlns:stream='${streams}' xmlns:db='jabber:server:dialback'>`
export const wideLimits: XmlLimits = { elementBytes: 1_000_000, depth: 1000 }

/** What a reader said about bytes cut into these chunks: a line for each event, the last one may be a fault. */
export function transcript(chunks: readonly Buffer[], limits: XmlLimits = wideLimits): string[] {
  const said: string[] = []
  const reader = new Reader(
    server,
    {
      header: root => said.push(`header ${describeHeader(root)}`),
      element: slice => said.push(`element ${describe(slice)}`),
      end: () => said.push('end'),
    },
    limits,
  )
  try {
    for (const chunk of chunks) reader.write(chunk)
  } catch (error) {
    if (!(error instanceof XmlFault)) throw error
    said.push(error.tooBig ? `fault ${error.condition} (too big)` : `fault ${error.condition}`)
  }
  return said
}

/** The complete elements in these bytes, as a stream with `header` before them holds them. */
export function slicesOf(text: string, root = header): Slice[] {
  const slices: Slice[] = []
  const reader = new Reader(
    server,
    { header() {}, element: slice => slices.push(slice), end() {} },
    wideLimits,
  )
  reader.write(Buffer.from(root + text))
  return slices
}

/** Bytes in chunks of one size. */
export function inChunks(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = []
  // Copies, so that nothing is found by reading on behind the end of a chunk.
  for (let at = 0; at < bytes.length; at += size) chunks.push(Buffer.from(bytes.subarray(at, at + size)))
  return chunks
}

/** Bytes in two chunks. */
export function inTwo(bytes: Buffer, at: number): Buffer[] {
  return [Buffer.from(bytes.subarray(0, at)), Buffer.from(bytes.subarray(at))]
}

function describe(slice: Slice): string {
  const { name, namespace, from, to, type, id, isPortable } = slice
  return JSON.stringify([
    name,
    namespace,
    from,
    to,
    type,
    id,
    isPortable,
    slice.toBuffer().toString('latin1'),
  ])
}

function describeHeader(root: {
  name: string
  namespace: string
  attributes: ReadonlyMap<string, string>
  declarations: ReadonlyMap<string, string>
}): string {
  return JSON.stringify([root.name, root.namespace, [...root.attributes], [...root.declarations]])
}
