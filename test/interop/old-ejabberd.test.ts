import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { allNames } from '../support/certificates.ts'
import type { Seen } from '../support/client.ts'
import { sendsMessage } from './exchanges.ts'
import { describeInterop } from './servers.ts'
import { type LocalSite, type Site, World } from './world.ts'

const tolerant = { tlsNegotiation: 'required', saslNegotiation: 'optional', dialbackNegotiation: true }
const strict = { tlsNegotiation: 'required', saslNegotiation: 'required', dialbackNegotiation: false }

describeInterop('ejabberd 23.01, which wants clientAuth in our certificate and has serverAuth alone', () => {
  let world: World
  let local: LocalSite
  let permitted: Site
  let forbidden: Site

  beforeAll(async () => {
    world = await World.create()
    const certificate = world.authorities.issue('contoso.example', { trusted: true, forClients: false })
    ;[permitted, forbidden, local] = await Promise.all([
      // Dialback on, and a certificate that the gateway trusts: only our own is in the way of EXTERNAL.
      world.partner('ejabberd', 'permitted.example', 'dialback-tls', { trusted: true }),
      world.partner('ejabberd', 'forbidden.example', 'dialback-tls', { trusted: true }),
      world.local('prosody', 'contoso.example', certificate, [
        { primaryDomain: 'permitted.example', ...tolerant },
        { primaryDomain: 'forbidden.example', ...strict },
      ]),
    ])
  })
  afterAll(() => world.end())
  afterEach(context => world.tellOfFailure(context, local.gateway, permitted.server, forbidden.server))

  test('is reached by dialback on the same stream where dialback is permitted', async () => {
    await sendsMessage(local.user, permitted.user)
    const out = await local.gateway.event(
      'stream.authenticated',
      event => event.direction === 'out' && event.remote === 'permitted.example',
    )
    expect(out).toMatchObject({ method: 'dialback-tls', certificate: 'valid' })
    const [refused, accepted] = ['Failed inbound s2s EXTERNAL', 'Accepted inbound s2s dialback'].map(text =>
      permitted.server.process.lines.find(line => line.includes(text)),
    )
    expect(streamOf(refused)).toMatch(/^tls\|<.*>$/)
    expect(streamOf(accepted)).toBe(streamOf(refused))
  })

  test('is not reached where dialback is not permitted: the log says why, and the message comes back', async () => {
    const id = crypto.randomUUID()
    const to = forbidden.user.bare
    local.user.send(`<message type='chat' id='${id}' to='${to}'><body>in vain</body></message>`)
    const bounce = await local.user.receives('bounce', seen => seen.attributes['id'] === id)
    expect(bounce.attributes).toMatchObject({ type: 'error', from: to, to: local.user.full })
    expect(conditionOf(bounce)).toBe('remote-server-timeout')
    const refused = await local.gateway.event(
      'stream.refused',
      event => event.direction === 'out' && event.remote === 'forbidden.example',
    )
    expect(refused.local).toBe('contoso.example')
    expect(refused.reason).toMatch(/certificate purpose/)
  })
})

describeInterop('ejabberd, whose stream dies of an XmppAddr in our certificate', () => {
  let world: World
  let local: LocalSite
  let partner: Site

  beforeAll(async () => {
    world = await World.create()
    const certificate = world.authorities.trusted.issue({
      names: allNames('contoso.example'),
      eku: ['serverAuth', 'clientAuth'],
    })
    ;[partner, local] = await Promise.all([
      world.partner('ejabberd', 'fabrikam.example', 'dialback-tls', { trusted: true }),
      world.local('prosody', 'contoso.example', certificate, [
        { primaryDomain: 'fabrikam.example', ...tolerant },
      ]),
    ])
  })
  afterAll(() => world.end())
  afterEach(context => world.tellOfFailure(context, local.gateway, partner.server))

  // COMPAT(ejabberd 19.09 and later): xmpp_stream_pkix crashes, and the connection is gone without a <failure/>.
  test('is reached by dialback on a new connection', async () => {
    await sendsMessage(local.user, partner.user)
    const out = await local.gateway.event('stream.authenticated', event => event.direction === 'out')
    expect(out).toMatchObject({ method: 'dialback-tls', remote: 'fabrikam.example' })
  })
})

// `(tls|<0.478.0>) Failed inbound …`: one process for one stream.
function streamOf(line: string | undefined): string | undefined {
  return /\((\w+\|<[\d.]+>)\)/.exec(line ?? '')?.[1]
}

function conditionOf(bounce: Seen): string | undefined {
  const error = bounce.children.find(({ name }) => name === 'error')
  return error?.children.find(({ xmlns }) => xmlns === 'urn:ietf:params:xml:ns:xmpp-stanzas')?.name
}
