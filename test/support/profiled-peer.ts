import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import type { Seen } from './client.ts'
import type { InitiatingPeer, ReceivingPeer } from './policy-outcome.ts'
import type { RunningGateway } from './running-gateway.ts'
import { listen } from './wire.ts'
import { conditionsOf, type Offer, type PeerIdentity, WirePeer } from './wire-peer.ts'

/** How far a peer came that opened a stream. Its stream is open; `waiting` = it has nothing more to say. */
export type Attempt = {
  readonly wire: WirePeer
  /** What it was refused. */
  readonly told: readonly string[]
  readonly at: 'authenticated' | 'peer-leaves' | 'waiting'
}

/** Opens a stream to the gateway, and authenticates as well as the peer can and is let. */
export async function initiate(
  gateway: RunningGateway,
  identity: PeerIdentity,
  peer: InitiatingPeer,
): Promise<Attempt> {
  const wire = await gateway.connect(identity)
  const told: string[] = []
  const choices = { dialback: peer.dialback }
  let features = await wire.opens(choices)
  const offersTls = features.children.some(({ xmlns }) => xmlns === ns.tls)
  if (peer.tls === 'required' && !offersTls) return { wire, told, at: 'peer-leaves' }
  if (peer.tls !== 'none' && offersTls) {
    await wire.startsTls()
    features = await wire.opens(choices)
  }
  const offersExternal = features.children.some(({ xmlns }) => xmlns === ns.sasl)
  if (peer.external === 'always' || (peer.external === 'whenOffered' && offersExternal)) {
    const outcome = await wire.sendsExternal()
    if (outcome.name === 'success') {
      await wire.opens(choices)
      return { wire, told, at: 'authenticated' }
    }
    told.push(`sasl ${conditionsOf(outcome)[0]}`)
  }
  if (peer.dialback) {
    const answer = await offerKey(gateway, wire)
    if (answer === 'valid') return { wire, told, at: 'authenticated' }
    told.push(`dialback ${answer}`)
  }
  return { wire, told, at: 'waiting' }
}

/** Sends a key. @returns the answer, or `ignored` where the gateway says in its log that none will come */
async function offerKey(gateway: RunningGateway, wire: WirePeer): Promise<string> {
  const { domain } = wire.identity
  wire.sendKey('key')
  // Elements are taken in order: once this is answered, the key has been admitted, refused or ignored.
  wire.send(tag('abort', { xmlns: ns.sasl }))
  await wire.find('answer to <abort/>', seen => conditionsOf(seen).includes('aborted'))
  const isIgnored = gateway.log.lines.some(
    ({ fields }) => fields['remote'] === domain && String(fields['reason']).includes('was ignored'),
  )
  return isIgnored ? 'ignored' : wire.keyAnswer()
}

/** What a peer's server has met with so far, over all its connections. */
export type Service = {
  readonly told: string[]
  /** The first stanza that came. @throws {Error} what went wrong on a connection before */
  readonly stanza: Promise<Seen>
}

/** A peer's server, which the gateway finds in DNS: takes streams as the peer is made, and judges every key to be valid. */
export async function serve(
  gateway: RunningGateway,
  identity: PeerIdentity,
  peer: ReceivingPeer,
): Promise<Service> {
  const told: string[] = []
  const { promise: stanza, resolve, reject } = Promise.withResolvers<Seen>()
  stanza.catch(() => undefined)
  const port = await listen(socket => {
    const wire = new WirePeer(socket, identity)
    serveStream(wire, peer, told).then(found => found && resolve(found), reject)
  })
  gateway.zone.federate(identity.domain, { port })
  return { told, stanza }
}

/** Takes one stream to its end. @returns the stanza that came, if one did */
async function serveStream(wire: WirePeer, peer: ReceivingPeer, told: string[]): Promise<Seen | undefined> {
  const choices = { dialback: peer.dialback }
  const dialback: readonly Offer[] = peer.dialback ? ['dialback'] : []
  const external: readonly Offer[] = peer.external === 'notOffered' ? [] : ['external']
  const offeredInClear: Readonly<Record<ReceivingPeer['tls'], readonly Offer[]>> = {
    none: dialback,
    offered: ['starttls', ...dialback],
    required: ['starttlsRequired'],
  }
  let isSecure = false
  await wire.greets(offeredInClear[peer.tls], choices)
  for (;;) {
    const element = await wire.coming()
    switch (element?.name) {
      case 'starttls':
        await wire.takesTls()
        isSecure = true
        await wire.greets([...external, ...dialback], choices)
        break
      case 'auth':
        if (peer.external === 'accepted') {
          await wire.takesExternal()
          break
        }
        await wire.next('auth', ns.sasl)
        told.push('sasl not-authorized')
        wire.send(tag('failure', { xmlns: ns.sasl }, tag('not-authorized', {})))
        if (peer.external === 'refused') break
        wire.end('</stream:stream>')
        return undefined
      case 'result': {
        const isTooEarly = peer.tls === 'required' && !isSecure
        if (isTooEarly) told.push('dialback policy-violation')
        await wire.takesKey(isTooEarly ? { error: 'policy-violation' } : 'valid')
        break
      }
      case 'verify':
        await wire.judges()
        wire.end('</stream:stream>')
        return undefined
      case 'error': // of the stream: the gateway leaves
        wire.end('</stream:stream>')
        return undefined
      default:
        wire.end('</stream:stream>')
        return element
    }
  }
}
