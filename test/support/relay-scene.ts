import { type Proof, proveByCertificate } from '../../src/identity/proof.ts'
import type { PartnerType } from '../../src/policy/partner.ts'
import { Relay } from '../../src/routing/relay.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { Reader, type Slice } from '../../src/xml/reader.ts'
import type { Destination } from '../../src/xml/run.ts'
import { wideLimits } from '../xml/transcript.ts'
import { type MemoryContacts, memoryContacts } from './contacts.ts'
import { domain } from './inbound-peer.ts'
import { memoryLog } from './log.ts'

const proofs: readonly Proof[] = [
  proveByCertificate({ local: domain('contoso.com'), remote: domain('fabrikam.com') }, 'valid'),
  proveByCertificate({ local: domain('contoso.com'), remote: domain('adatum.com') }, 'valid'),
]

/** A relay between contoso.com and two partners; each destination writes `name: bytes` into `sent`. */
export function relayScene(
  partners: Readonly<Record<string, PartnerType>> = {
    'fabrikam.com': 'federated',
    'adatum.com': 'federated',
  },
  contacts: MemoryContacts = memoryContacts(),
) {
  const sent: string[] = []
  const full = new Set<string>()
  /** Those that give back at once whatever they are sent. */
  const closed = new Set<string>()
  const due: (() => void)[] = []
  const log = memoryLog()
  const metrics = new Metrics()
  const destinations = new Map<string, Destination>()
  const destination = (name: string): Destination => {
    const known = destinations.get(name)
    if (known !== undefined) return known
    const made: Destination = {
      send: run => {
        if (closed.has(name)) relay.bounceOutward(run, { condition: 'remote-server-timeout', text: '' })
        else {
          sent.push(`${name}: ${run.bytes}`)
          metrics.relayed(name.startsWith('in ') ? 'in' : 'out', run.kinds)
        }
        return true
      },
      whenDrained: resume => resume(),
      get isFull() {
        return full.has(name)
      },
    }
    destinations.set(name, made)
    return made
  }
  const relay = new Relay(
    {
      isLocal: of => of === 'contoso.com',
      partnerType: of => partners[of],
      pong: () => false,
      inward: remote => destination(`in ${remote}`),
      outward: ({ local, remote }) => destination(`out ${local} ${remote}`),
    },
    contacts,
    { metrics, log },
    work => due.push(work),
  )
  /** Ends a turn of the event loop; so does each read, where none is `together` with the next. */
  const endTurn = () => {
    for (const work of due.splice(0)) work()
  }
  const count = (labels: string) =>
    Number(metrics.render().split(`gatehouse_stanzas_total{${labels}} `)[1]?.split('\n')[0])
  return { relay, contacts, sent, full, closed, log, metrics, count, endTurn, together: false }
}

export type Scene = ReturnType<typeof relayScene>

/** Lets a peer send these stanzas in one read, over a stream with this header. */
function read(
  scene: Scene,
  content: string,
  stanzas: string,
  take: (source: ReturnType<typeof sourceOf>) => { stanza(slice: Slice): void; flush(): void },
  root = `xmlns='${content}'`,
): void {
  let sink: { stanza(slice: Slice): void; flush(): void } | undefined
  const reader: Reader = new Reader(
    content,
    { header: () => {}, element: slice => sink?.stanza(slice), end: () => {} },
    wideLimits,
  )
  sink = take(sourceOf(reader))
  reader.write(
    Buffer.from(`<stream:stream ${root} xmlns:stream='http://etherx.jabber.org/streams'>${stanzas}`),
  )
  sink.flush()
  if (!scene.together) scene.endTurn()
}

const sourceOf = (reader: Reader) => ({
  pause: () => {},
  resume: () => {},
  get declarations() {
    return reader.declarations
  },
})

/** Lets the partners send these stanzas in one read. */
export function fromPartner(scene: Scene, stanzas: string, root?: string): void {
  const take = (source: ReturnType<typeof sourceOf>) => {
    const sink = scene.relay.fromPartner(source)
    return { stanza: (slice: Slice) => sink.stanza(slice, proofs), flush: () => sink.flush() }
  }
  read(scene, 'jabber:server', stanzas, take, root)
}

/** Lets the inside send these stanzas in one read, on the stream of one component. */
export function fromInside(scene: Scene, stanzas: string, component = 'fabrikam.com'): void {
  read(scene, 'jabber:component:accept', stanzas, source => scene.relay.fromInside(source, domain(component)))
}
