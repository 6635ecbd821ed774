import { type Element, toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import type { Cut, Inner } from '../xml/rewrite.ts'
import { ns } from '../xmpp/namespaces.ts'

/** The nodes, and namespaces, of what a user tells of himself for contacts' eyes: the mood (XEP-0107), the activity (XEP-0108). */
const noteNodes: readonly string[] = [ns.mood, ns.activity]

/**
 * What has to be taken out of a stanza that a partner of a public type is to get without status notes (contract §3, §9).
 * @param declarations of the header of the stream it was read from
 * @returns undefined = nothing; `whole` = the stanza is a PEP event that tells mood or activity
 */
export function notesIn(slice: Slice, declarations: ReadonlyMap<string, string>): Cut | 'whole' | undefined {
  switch (slice.name) {
    case 'presence':
      // An element's name stands in the bytes as it is.
      return has(slice, 'status') ? statusCut(slice.namespace) : undefined
    case 'message':
      return mayNameNote(slice) && isNoteEvent(toElement(slice, declarations)) ? 'whole' : undefined
    case 'iq':
      return mayNameNote(slice) ? itemsCut() : undefined
    default:
      return undefined
  }
}

function statusCut(contentNamespace: string): Cut {
  return { depth: 1, remove: ({ name, namespace }) => name === 'status' && namespace === contentNamespace }
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

function isNoteEvent(message: Element): boolean {
  return elementsIn(message).some(
    child => child.getName() === 'event' && child.getNS() === ns.pubsubEvent && tellsNote(child),
  )
}

/** Also that a node was emptied or deleted tells of it (XEP-0060 §7.1, §8.4, §8.5). */
function tellsNote(event: Element): boolean {
  return elementsIn(event).some(
    child =>
      noteNodes.includes(child.attrs['node'] ?? '') ||
      elementsIn(child).some(item =>
        elementsIn(item).some(payload => noteNodes.includes(payload.getNS() ?? '')),
      ),
  )
}

function elementsIn(element: Element): Element[] {
  return element.children.filter(child => typeof child !== 'string')
}

/** Can it name a mood or activity node? Reading the bytes for that is far cheaper than a tree; `&#` may hide any letter. */
function mayNameNote(slice: Slice): boolean {
  return has(slice, '/mood') || has(slice, '/activity') || has(slice, '&#')
}

function has(slice: Slice, text: string): boolean {
  return slice.toBuffer().includes(text, 0, 'latin1')
}
