import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { offers, type WirePeer } from '../support/wire-peer.ts'

/** What a peer does before it fails; a stage may throw where the gateway had another end in mind. */
export type Stages = Readonly<Record<string, (peer: WirePeer) => Promise<unknown>>>

const junk = Buffer.from('\u0016\u0003\u0001 this is neither XML nor TLS <<<&&& \u0000\u0001\u0002', 'latin1')
/** The beginning of a ClientHello that promises more than ever comes. */
const halfHello = Buffer.from('1603010200010001fc0303', 'hex')
const proceed = tag('proceed', { xmlns: ns.tls })
const refusedTls = tag('failure', { xmlns: ns.tls })
const refusedSasl = tag('failure', { xmlns: ns.sasl }, tag('not-authorized', {}))
const streamError = tag('stream:error', {}, tag('internal-server-error', { xmlns: ns.streams }))

/** Where a peer that connected to the gateway may fail. */
export const inboundStages: Stages = {
  'connect only': async () => undefined,
  'half a header': async peer => peer.send("<stream:stream xmlns='jabber:ser"),
  'junk instead of a header': async peer => peer.send(junk),
  'a header from nobody known': peer => opensAs(peer, { from: 'nobody.example' }),
  'a header to nobody known': peer => opensAs(peer, { to: 'nobody.example' }),
  'a header': peer => peer.opens(),
  'a header without from': peer => peer.opens({ from: null }),
  'half an element': peer => peer.opens().then(() => peer.send("<starttls xmlns='urn:ietf:par")),
  'a stanza too early': peer => peer.opens().then(() => peer.send('<message/>')),
  'an element too long': peer => peer.opens().then(() => peer.send(`<x y='${'y'.repeat(9_000)}'/>`)),
  'starttls asked for': peer => peer.opens().then(() => peer.send(offers.starttls)),
  'TLS due': proceeds,
  'junk instead of TLS': peer => proceeds(peer).then(() => peer.send(junk)),
  'half a ClientHello': peer => proceeds(peer).then(() => peer.send(halfHello)),
  'the gateway’s certificate not believed': peer =>
    proceeds(peer)
      .then(() => peer.entersTls({ ca: [] }))
      .catch(() => undefined),
  'direct TLS begun, or junk': async peer => peer.send(halfHello),
  'direct TLS, or TLS without a stream': async peer => peer.entersTls().catch(() => undefined),
  'TLS up': peer => peer.opens().then(() => peer.startsTls()),
  'a header under TLS': peer => peer.opensSecurely(),
  'junk under TLS': peer => peer.opensSecurely().then(() => peer.send(junk)),
  'a stanza under TLS': peer => peer.opensSecurely().then(() => peer.send('<message/>')),
  'EXTERNAL for somebody else': peer =>
    peer.opensSecurely().then(() => peer.sendsExternal('YWRhdHVtLmNvbQ==')),
  'a response due': peer => peer.opensSecurely().then(() => peer.sendsExternal('')),
  'the last header due': peer => peer.opensSecurely().then(() => peer.sendsExternal()),
  'a key refused': async peer => {
    await peer.opensSecurely()
    peer.sendKey('a false key')
    await peer.keyAnswer(500)
  },
  'a key asked about': peer => peer.opensSecurely().then(() => peer.sendKey('a false key')),
  'many keys': async peer => {
    await peer.opensSecurely()
    for (let number = 0; number < 20; number++) peer.sendKey(`false key ${number}`)
  },
}

/** Where a partner's server may fail to which the gateway has connected, for stanzas or with a question about a key. */
export const outboundStages: Stages = {
  'a connection accepted': async () => undefined,
  'junk for a header': peer => peer.header().then(() => peer.send(junk)),
  'half of the server’s header': peer => peer.header().then(() => peer.send('<stream:str')),
  'a stream error for features': peer =>
    peer.header().then(() => peer.greets([], { version: null }).then(() => peer.send(streamError))),
  'no features': peer => peer.header().then(() => peer.greets([], { version: null })),
  'no offer': peer => peer.greets([]),
  'starttls offered': peer => peer.greets(['starttls']),
  'starttls refused': peer => asksForTls(peer).then(() => peer.send(refusedTls)),
  'proceed and nothing more': peer => asksForTls(peer).then(() => peer.send(proceed)),
  'junk behind proceed': peer => asksForTls(peer).then(() => peer.send(`${proceed}${junk}`)),
  'junk for a ServerHello': async peer => {
    await asksForTls(peer)
    peer.send(proceed)
    peer.send(junk)
  },
  'TLS without a certificate': peer =>
    asksForTls(peer)
      .then(() => peer.send(proceed))
      .then(() => peer.secureAsServer({}))
      .catch(() => undefined),
  'TLS up at the server': peer => peer.greets(['starttls']).then(() => peer.takesTls()),
  'nothing offered under TLS': peer => peer.greetsSecurely([]),
  'EXTERNAL refused': async peer => {
    await peer.greetsSecurely(['external'])
    await peer.coming()
    peer.send(refusedSasl)
  },
  'EXTERNAL or a key unanswered': peer =>
    peer.greetsSecurely(['external', 'dialback']).then(() => peer.coming()),
  'a key or a question refused': peer => refuses(peer, 'invalid'),
  'an error for a key or a question': peer => refuses(peer, { error: 'internal-server-error' }),
}

async function opensAs(peer: WirePeer, names: { from?: string; to?: string }): Promise<void> {
  peer.sendHeader(names)
  await peer.streamEnd()
}

async function proceeds(peer: WirePeer): Promise<void> {
  await peer.opens()
  peer.send(offers.starttls)
  await peer.next('proceed')
}

async function asksForTls(peer: WirePeer): Promise<void> {
  await peer.greets(['starttls'])
  await peer.next('starttls')
}

async function refuses(peer: WirePeer, verdict: Parameters<WirePeer['takesKey']>[0]): Promise<void> {
  await peer.greetsSecurely(['dialback'])
  const asked = await peer.coming()
  if (asked?.name === 'verify') await peer.judges(verdict)
  else await peer.takesKey(verdict)
}
