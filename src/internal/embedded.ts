import { type Element, firstChild, toElement } from '../xml/element.ts'
import { elementsOf, type Slice } from '../xml/reader.ts'
import type { Destination, Run } from '../xml/run.ts'
import { escapeText, tag } from '../xml/writer.ts'
import { bareAddress, type Domain, parseJid } from '../xmpp/address.ts'
import { ns } from '../xmpp/namespaces.ts'
import { stanzaConditions } from '../xmpp/stanza-error.ts'
import type { Connector, InsideEnvironment, InsideSink } from './connector.ts'

/**
 * No server inside: `echo@DOMAIN` answers every message, accepts every subscription and answers ping and disco; so does each
 * local domain itself, but for messages. For a first run and for partners' tests.
 */
export class EmbeddedConnector implements Connector {
  readonly #environment: InsideEnvironment
  readonly #destinations = new Map<Domain, Destination>()
  readonly waiting = 0
  readonly faults: readonly string[] = []
  readonly isReady = true

  constructor(environment: InsideEnvironment) {
    this.#environment = environment
  }

  setPartners(domains: readonly Domain[]): void {
    for (const domain of this.#destinations.keys())
      if (!domains.includes(domain)) this.#destinations.delete(domain)
  }

  destination(remote: Domain): Destination {
    const known = this.#destinations.get(remote)
    if (known !== undefined) return known
    // Who reads the answers too slowly is slow to be sent questions.
    let isSlow = false
    const waiting: (() => void)[] = []
    const source = {
      declarations: new Map<string, string>(),
      pause: () => {
        isSlow = true
      },
      resume: () => {
        isSlow = false
        for (const resume of waiting.splice(0)) resume()
      },
    }
    const sink = this.#environment.openSink(source, remote)
    const destination: Destination = {
      send: run => {
        this.#environment.taken(run)
        answerRun(run, sink)
        return !isSlow
      },
      whenDrained: resume => {
        if (isSlow) waiting.push(resume)
        else resume()
      },
      isFull: false,
    }
    this.#destinations.set(remote, destination)
    return destination
  }

  faultOf(): undefined {}

  async settle(): Promise<void> {}

  async stop(): Promise<void> {}
}

function answerRun(run: Run, sink: InsideSink): void {
  for (const slice of elementsOf(run.bytes, ns.component)) {
    for (const text of answersTo(slice)) {
      for (const answer of elementsOf(Buffer.from(text), ns.component)) sink.stanza(answer)
    }
  }
  sink.flush()
}

/** The stanzas that answer one stanza. */
export function answersTo(slice: Slice): readonly string[] {
  const { name, type, from, to, id } = slice
  if (from === undefined || to === undefined || type === 'error') return []
  const jid = parseJid(to)
  const isEcho = jid?.local === 'echo'
  const isDomain = jid?.local === undefined
  const back = { from: to, to: from, id }
  const refusal = () => [tag(name, { ...back, type: 'error' }, error('service-unavailable'))]
  switch (name) {
    case 'message':
      if (!isEcho) return refusal()
      return echo(toElement(slice, new Map()), { ...back, type })
    case 'presence':
      return isEcho ? attend({ from: bareAddress(to), to: bareAddress(from), id }, type) : []
    case 'iq':
      if (type !== 'get' && type !== 'set') return []
      if (!isEcho && !isDomain) return refusal()
      return [query(toElement(slice, new Map()), type, back)]
    default:
      return []
  }
}

type Addressing = { readonly from: string; readonly to: string; readonly id: string | undefined }

function echo(message: Element, attributes: Addressing & { type: string | undefined }): string[] {
  const body = firstChild(message, 'body')?.getText()
  // Without a body it is a chat state or a receipt: nothing that wants an echo.
  if (body === undefined) return []
  return [tag('message', attributes, tag('body', {}, escapeText(body)))]
}

function attend({ from, to, id }: Addressing, type: string | undefined): string[] {
  const available = tag(
    'presence',
    { from: `${from}/gatehouse`, to },
    tag('status', {}, 'echoes what you write'),
  )
  switch (type) {
    case 'subscribe':
      return [tag('presence', { from, to, id, type: 'subscribed' }), available]
    case 'probe':
      return [available]
    case 'unsubscribe':
      return [tag('presence', { from, to, id, type: 'unsubscribed' })]
    default:
      return []
  }
}

function query(iq: Element, type: string, back: Addressing): string {
  const [payload] = iq.children.filter(child => typeof child !== 'string')
  const kind = typeof payload === 'object' && type === 'get' ? `${payload.getNS()} ${payload.getName()}` : ''
  const result = (content: string) => tag('iq', { ...back, type: 'result' }, content)
  switch (kind) {
    case `${ns.ping} ping`:
      return result('')
    case `${ns.discoInfo} query`:
      return result(
        tag(
          'query',
          { xmlns: ns.discoInfo },
          tag('identity', { category: 'component', type: 'generic', name: 'Gatehouse' }),
          ...[ns.discoInfo, ns.discoItems, ns.ping].map(feature => tag('feature', { var: feature })),
        ),
      )
    case `${ns.discoItems} query`:
      return result(tag('query', { xmlns: ns.discoItems }))
    default:
      return tag('iq', { ...back, type: 'error' }, error('service-unavailable'))
  }
}

function error(condition: 'service-unavailable'): string {
  return tag('error', { type: stanzaConditions[condition] }, tag(condition, { xmlns: ns.stanzas }))
}
