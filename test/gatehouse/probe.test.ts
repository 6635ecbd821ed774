import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { tag } from '../../src/xml/writer.ts'
import { probeOf, whyOf } from '../support/broken-partners.ts'
import { runCommand } from '../support/command-host.ts'
import { serve } from '../support/profiled-peer.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { listen } from '../support/wire.ts'
import { WirePeer } from '../support/wire-peer.ts'
import { juliet, message, romeo } from './numbered.ts'

const accepting = { tls: 'required', certificate: 'valid', external: 'accepted', dialback: false } as const
const byDialback = {
  primaryDomain: 'fabrikam.com',
  saslNegotiation: 'notSupported',
  dialbackNegotiation: true,
}

describe('a probe', () => {
  test('by EXTERNAL succeeds, and disturbs no real stream', async () => {
    const gateway = await startGateway({
      inside: 'component',
      partners: [{ primaryDomain: 'fabrikam.com', connectionLimit: 1 }],
    })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message('one', juliet, romeo))
    const carrying = await server.next()
    await carrying.accepts()
    await carrying.next('message')

    const probed = probeOf(gateway, 'fabrikam.com')
    const stream = await server.next()
    await stream.accepts()
    await stream.streamEnd()
    stream.end('</stream:stream>')
    const { status, lines } = await probed
    expect(status).toBe(0)
    expect(lines.at(-1)).toMatchObject({
      outcome: { purpose: 'probe', outcome: { is: 'authenticated', method: 'sasl-external-tls' } },
      meaning: null,
    })
    expect(stream.untaken.filter(({ name }) => name === 'message')).toEqual([])

    inside.send(message('two', juliet, romeo))
    expect((await carrying.next('message')).attributes['id']).toBe('two')
    expect(gateway.events('stream.authenticated')).toHaveLength(1)
    expect(gateway.streams.outAuthenticated).toBe(1)
    expect((await whyOf(gateway, 'fabrikam.com')).lastSuccess).toMatchObject({ purpose: 'probe' })
  })

  test('by dialback succeeds: the gateway that runs has made the key', async () => {
    const gateway = await startGateway({ partners: [byDialback] })
    await verifyingServer(gateway)
    const { status, lines } = await probeOf(gateway, 'fabrikam.com')
    expect(lines.at(-1)).toMatchObject({
      outcome: { outcome: { is: 'authenticated', method: 'dialback-tls' } },
    })
    expect(status).toBe(0)
  })

  test('of a partner that is being probed is refused', async () => {
    const gateway = await startGateway()
    const server = await gateway.serve()
    const first = probeOf(gateway, 'fabrikam.com')
    const stream = await server.next()
    const second = await probeOf(gateway, 'fabrikam.com')
    expect(second).toMatchObject({
      status: 1,
      lines: [{ error: { message: expect.stringContaining('somebody else probes this partner now') } }],
    })
    await stream.accepts()
    stream.end('</stream:stream>')
    expect((await first).status).toBe(0)
  })

  test('of a stranger tries nothing', async () => {
    const gateway = await startGateway()
    const { status, lines } = await probeOf(gateway, 'stranger.example')
    expect(status).toBe(1)
    expect(lines).toMatchObject([{ outcome: { steps: [], outcome: { code: 'not-a-partner' } } }])
    expect(gateway.zone.queries).toEqual([])
  })

  test('prints its steps in words, those of why', async () => {
    const gateway = await startGateway()
    await serve(gateway, gateway.identity(), { ...accepting, external: 'refused' })
    const { status, out } = await runCommand(['probe', 'fabrikam.com', '--config', gateway.folder.file])
    expect(status).toBe(1)
    const why = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    const plain = (text: string) => text.replace(/^ *\d+ ms/gm, '').replace(/sha256:\w+/g, '')
    const steps = plain(out)
      .split('\n')
      .filter(line => line.startsWith('  '))
    expect(steps.length).toBeGreaterThan(8)
    for (const told of [out, why.out.slice(why.out.indexOf('The last one'))])
      expect(told.match(/external-refused: /g)).toHaveLength(1)
    for (const line of steps) expect(plain(why.out)).toContain(line)
    expect(out).toMatch(
      / ms {2}failed: external-refused: .*\n\nWhat it means {2}.*\nWhose fault .*mostly ours\nWhat to do {5}/,
    )
  })

  test.each([
    [['probe', 'not a domain'], 2],
    [['probe', 'fabrikam.com', '--from', 'elsewhere.example'], 1],
  ])('is refused: %j', async (argv, status) => {
    const gateway = await startGateway()
    const result = await runCommand([...argv, '--config', gateway.folder.file])
    expect(result).toMatchObject({ status, out: '' })
    expect(result.err).toMatch(/^gatehouse: .*(is not a domain|is not a local domain)\n$/)
  })
})

describe('where the gateway does not run', () => {
  test('a probe is made by the command itself, and why reads the file', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    peer.sendHeader({ to: 'elsewhere.example' })
    await peer.isClosedWith('host-unknown')
    await gateway.event('stream.closed')
    await gateway.gatehouse.stop()
    await serve(gateway, gateway.identity(), accepting)

    const { status, lines, err } = await probeOf(gateway, 'fabrikam.com')
    expect([status, err]).toEqual([0, ''])
    expect(lines.at(-1)).toMatchObject({ outcome: { outcome: { method: 'sasl-external-tls' } } })
    expect(await whyOf(gateway, 'fabrikam.com')).toMatchObject({
      state: null,
      failures: [{ code: 'unknown-local-domain', count: 1 }],
    })
    const { out } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect(out).toMatch(/^Now +the gateway does not run$/m)
  })

  test('why says so where the file is no journal', async () => {
    const gateway = await startGateway()
    await gateway.gatehouse.stop()
    writeFileSync(
      gateway.folder.load().store.journal,
      'something else that is longer than a header '.repeat(99),
    )
    const { status, out, err } = await runCommand(['why', 'fabrikam.com', '--config', gateway.folder.file])
    expect([status, out]).toEqual([1, ''])
    expect(err).toMatch(/^gatehouse: .*journal\.db: /)
  })

  test('a probe by dialback is told to need it', async () => {
    const gateway = await startGateway({ partners: [byDialback] })
    await gateway.gatehouse.stop()
    const { status, err } = await probeOf(gateway, 'fabrikam.com')
    expect(status).toBe(1)
    expect(err).toMatch(/dialback needs it.*dialback\.secret is not set, or cannot be read/)
  })
})

/** The server of fabrikam.com: takes a key, asks the gateway about it, and answers what that says. */
async function verifyingServer(gateway: RunningGateway): Promise<void> {
  const identity = gateway.identity()
  const port = await listen(socket => {
    const wire = new WirePeer(socket, identity)
    const work = async () => {
      await wire.greetsSecurely(['dialback'])
      const key = await wire.coming()
      const asker = await gateway.connect(identity)
      await asker.opensSecurely()
      asker.send(
        tag('db:verify', { from: 'fabrikam.com', to: 'contoso.com', id: 'wire-peer-stream' }, key!.text),
      )
      const { attributes } = await asker.next('verify')
      asker.end('</stream:stream>')
      await wire.takesKey(attributes['type'] === 'valid' ? 'valid' : 'invalid')
      await wire.streamEnd()
      wire.end('</stream:stream>')
    }
    work().catch(() => socket.destroy())
  })
  gateway.zone.federate('fabrikam.com', { port })
}
