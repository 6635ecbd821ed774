import type { Slice } from '../xml/reader.ts'
import { type Cut, rewrite } from '../xml/rewrite.ts'
import type { ContentNamespace } from '../xmpp/namespaces.ts'

/** The slice as it may stand on the other side; most may as they are. */
export function portable(
  slice: Slice,
  { declarations }: { readonly declarations: ReadonlyMap<string, string> },
  from: ContentNamespace,
  to: ContentNamespace,
  cut?: Cut,
): Pick<Slice, 'bytes' | 'start' | 'end'> {
  if (slice.isPortable && cut === undefined) return slice
  const bytes = rewrite(slice, { from, to, declarations, cut })
  return { bytes, start: 0, end: bytes.length }
}
