import type { Slice } from '../xml/reader.ts'
import { type Cut, type Inner, lookInto } from '../xml/rewrite.ts'
import { ns } from '../xmpp/namespaces.ts'

/** The nodes, and namespaces, of what a user tells of himself for contacts' eyes: the mood (XEP-0107), the activity (XEP-0108). */
const noteNodes: readonly string[] = [ns.mood, ns.activity]

/**
 * What has to be taken out of a stanza that a partner of a public type is to get without status notes (contract §3, §9).
 * @param declarations of the header of the stream it was read from
 * @returns undefined = nothing; `whole` = the stanza says nothing else
 */
export function notesIn(slice: Slice, declarations: ReadonlyMap<string, string>): Cut | 'whole' | undefined {
  switch (slice.name) {
    case 'presence':
      // An element's name stands in the bytes as it is.
      return has(slice, 'status') ? statusCut : undefined
    case 'message':
      return mayNameNote(slice, declarations) ? eventsCut(slice, declarations) : undefined
    case 'iq':
      return mayNameNote(slice, declarations) ? itemsCut() : undefined
    default:
      return undefined
  }
}

/** What a client may take for the content of the stanza it stands in: servers inside are not all strict about that. */
const contents: readonly string[] = [ns.component, ns.server, ns.client]

const statusCut: Cut = {
  depth: 1,
  remove: ({ name, namespace }) => name === 'status' && contents.includes(namespace),
}

/** The items of an answer from a mood or activity node (XEP-0060 §6.5), and what tells either under another name. */
function itemsCut(): Cut {
  let isPubsub = false
  let isNoteNode = false
  const remove = ({ name, namespace, depth, attribute }: Inner): boolean => {
    if (depth === 1) isPubsub = namespace === ns.pubsub && name === 'pubsub'
    if (!isPubsub) return false
    if (depth === 2) isNoteNode = noteNodes.includes(attribute('node') ?? '')
    return (depth === 3 && isNoteNode) || noteNodes.includes(namespace)
  }
  return { depth: 4, remove }
}

/** What a message tells beside its content: where it has been, and what to do with it. */
const wrapping: readonly string[] = [ns.hints, ns.addresses, ns.headers, ns.delay, ns.stanzaIds]

/** What tells mood or activity among the events of a message, and an event of which nothing else is left. */
function eventsCut(slice: Slice, declarations: ReadonlyMap<string, string>): Cut | 'whole' | undefined {
  /** Of each event, whether each of its children tells a note. */
  const events: boolean[][] = []
  let children: boolean[] | undefined
  let isMore = false
  lookInto(slice, declarations, 4, inner => {
    const { depth, namespace, attribute } = inner
    if (depth === 1) {
      children = isEvent(inner) ? [] : undefined
      if (children !== undefined) events.push(children)
      else if (!wrapping.includes(namespace)) isMore = true
    }
    // Also that a node was emptied or deleted tells of it (XEP-0060 §7.1, §8.4, §8.5).
    if (depth === 2) children?.push(noteNodes.includes(attribute('node') ?? ''))
    if (depth === 4 && noteNodes.includes(namespace)) children?.splice(-1, 1, true)
  })
  if (!events.some(event => event.includes(true))) return undefined
  const isSpent = events.map(event => event.length > 0 && !event.includes(false))
  if (!isMore && !isSpent.includes(false)) return 'whole'
  let at = -1
  let child = 0
  const remove = (inner: Inner): boolean => {
    if (inner.depth === 2) return children?.[child++] === true
    children = isEvent(inner) ? events[++at] : undefined
    child = 0
    return children !== undefined && isSpent[at] === true
  }
  return { depth: 2, remove }
}

function isEvent({ name, namespace }: Inner): boolean {
  return name === 'event' && namespace === ns.pubsubEvent
}

/**
 * Can it name a mood or activity? Reading the bytes for that is far cheaper than taking them apart. `&#` may hide any letter, and
 * the header of the stream what a prefix stands for.
 */
function mayNameNote(slice: Slice, declarations: ReadonlyMap<string, string>): boolean {
  if (has(slice, '/mood') || has(slice, '/activity') || has(slice, '&#')) return true
  return !slice.isPortable && noteNodes.some(node => [...declarations.values()].includes(node))
}

function has(slice: Slice, text: string): boolean {
  return slice.toBuffer().includes(text, 0, 'latin1')
}
