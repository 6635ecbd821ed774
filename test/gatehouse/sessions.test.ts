import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { SessionJson } from '../../src/admin/sessions.ts'
import { asking, tokenFor } from '../support/api-client.ts'
import { type CommandResult, runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import type { WirePeer } from '../support/wire-peer.ts'

const message =
  "<message from='juliet@fabrikam.com/x' to='romeo@contoso.com' id='1'><body>hi</body></message>"

function session(gateway: RunningGateway, ...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['session', ...argv, '--config', gateway.folder.file])
}

async function listed(gateway: RunningGateway, ...argv: readonly string[]): Promise<SessionJson[]> {
  return JSON.parse((await session(gateway, 'list', ...argv, '--json')).out)
}

/** A stream each way, one message on it, and one that says nothing. */
async function busy() {
  const gateway = await startGateway({ partners: [{ primaryDomain: 'fabrikam.com' }] })
  const server = await gateway.serve()
  const sender = await gateway.connect()
  await sender.authenticates()
  sender.send(message)
  const receiver = await server.next()
  await receiver.accepts()
  await receiver.next('message') // the echo
  const stranger = await gateway.connect()
  return { gateway, sender, receiver, stranger }
}

/** The gateway ends the stream without an error, and so does the peer. */
async function ends(peer: WirePeer): Promise<void> {
  await peer.streamEnd()
  expect(peer.text).not.toContain('stream:error')
  peer.end('</stream:stream>')
  await peer.closed()
}

const pair = { local: 'contoso.com', remote: 'fabrikam.com', method: 'sasl-external-tls' }

describe('streams', () => {
  test('are listed, the oldest first', async () => {
    const { gateway } = await busy()
    const tls = { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) }
    const common = {
      id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/),
      since: expect.stringMatching(/^20.*Z$/),
      address: '127.0.0.1',
    }
    const known = { ...common, pairs: [pair], tls, certificate: 'valid', state: 'authenticated' }
    expect(await listed(gateway)).toEqual([
      { ...known, direction: 'in', stanzasIn: 1, stanzasOut: 0 },
      { ...known, direction: 'out', stanzasIn: 0, stanzasOut: 1 },
      {
        ...common,
        direction: 'in',
        state: 'negotiating',
        pairs: [{ local: null, remote: null, method: null }],
        tls: null,
        certificate: null,
        stanzasIn: 0,
        stanzasOut: 0,
      },
    ])
    expect(await listed(gateway, 'fabrikam.com')).toHaveLength(2)
    expect(await listed(gateway, 'CONTOSO.com')).toHaveLength(2)
    expect(await listed(gateway, 'northwind.example')).toEqual([])
    const { out } = await session(gateway, 'list')
    expect(out).toMatch(/^id +dir +local +remote +method +state +TLS +certificate +since +in +out +address\n/)
    expect(out).toMatch(
      / in +contoso\.com +fabrikam\.com +sasl-external-tls +authenticated +TLSv1\.3 TLS_\S+ +valid +\S+Z +1 +0 +127\.0\.0\.1\n/,
    )
    expect(out).toMatch(/ in +\? +\? +- +negotiating +none +- /)
  })

  test('are closed in good order, one by one or by domain; log and audit say by whom', async () => {
    const { gateway, sender, receiver } = await busy()
    const [inbound, outbound] = await listed(gateway)
    const closed = await session(gateway, 'close', inbound!.id)
    expect(closed).toEqual({
      status: 0,
      out: `closed: ${inbound!.id} (in, contoso.com, fabrikam.com)\n`,
      err: '',
    })
    await ends(sender)
    const first = await gateway.event('stream.closed', ({ direction }) => direction === 'in')
    expect(first).toMatchObject({ reason: 'closed by local operator', stanzasIn: 1 })
    expect(await listed(gateway, 'fabrikam.com')).toMatchObject([{ id: outbound!.id }])

    const token = await tokenFor(gateway, 'administrator', 'panel')
    const answer = await asking(gateway, token)('DELETE', `/sessions/${outbound!.id}`)
    expect(answer).toMatchObject({ status: 200, value: { id: outbound!.id, state: 'authenticated' } })
    await ends(receiver)
    const second = await gateway.event('stream.closed', ({ direction }) => direction === 'out')
    expect(second).toMatchObject({ reason: 'closed by panel', stanzasOut: 1 })
    const audited = readFileSync(gateway.folder.at('data/audit.log'), 'utf8').trim().split('\n')
    expect(audited.map(line => JSON.parse(line))).toMatchObject([
      { by: 'local operator', from: 'local', action: 'session.close', subject: inbound!.id, after: null },
      { by: 'panel', from: '127.0.0.1', action: 'session.close', before: { id: outbound!.id } },
    ])
  })

  test('of a domain are closed together', async () => {
    const { gateway, sender, receiver, stranger } = await busy()
    const { status, out } = await session(gateway, 'close', 'fabrikam.com', '--json')
    expect([status, JSON.parse(out).length]).toEqual([0, 2])
    await ends(sender)
    await ends(receiver)
    const [last] = await listed(gateway)
    expect(last).toMatchObject({ state: 'negotiating' })
    expect((await session(gateway, 'close', last!.id)).status).toBe(0)
    stranger.end()
    await stranger.closed()
  })

  test('that there are not are not closed', async () => {
    const gateway = await startGateway()
    expect(await session(gateway, 'list')).toEqual({ status: 0, out: 'no streams\n', err: '' })
    for (const [what, text] of [
      ['fabrikam.com', 'there is no stream of fabrikam.com'],
      ['0123abcd-1', 'there is no stream "0123abcd-1"'],
    ] as const)
      expect(await session(gateway, 'close', what)).toEqual({
        status: 1,
        out: '',
        err: `gatehouse: ${text}\n`,
      })
    await gateway.gatehouse.stop()
    expect(await session(gateway, 'list')).toMatchObject({ status: 1, err: /not running/ })
  })

  test('come page by page', async () => {
    const { gateway } = await busy()
    const get = asking(gateway, await tokenFor(gateway, 'viewer'))
    const all = (await get('GET', '/sessions')).value as { sessions: SessionJson[]; next: null }
    expect(all.next).toBeNull()
    const paged: SessionJson[] = []
    let after = ''
    for (const more of [true, true, false]) {
      const { value } = await get('GET', `/sessions?limit=1${after}`)
      const page = value as { sessions: SessionJson[]; next: string | null }
      expect([page.sessions.length, page.next !== null]).toEqual([1, more])
      paged.push(...page.sessions)
      after = `&after=${page.next}`
    }
    expect(paged).toEqual(all.sessions)
  })
})
