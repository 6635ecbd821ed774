import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ComponentConnector } from '../../src/internal/component.ts'
import type { Run } from '../../src/xml/run.ts'
import type { Domain } from '../../src/xmpp/address.ts'
import { InsideServer } from '../support/inside-server.ts'
import { closedPort, listen } from '../transport/dialer-fixture.ts'
import { domain } from '../transport/tls-peers.ts'

const fabrikam = domain('fabrikam.com')
const northwind = domain('northwind.example')

/** A connector towards a port, and what it reported; stopped when the test ends. */
function connector(
  port: number,
  secretFor: (domain: Domain) => string,
  limits: { queueStanzas?: number } = {},
) {
  const told: string[] = []
  const bounced: string[] = []
  const taken: string[] = []
  let wake = Promise.withResolvers<void>()
  const tell = (text: string) => {
    told.push(text)
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const inside = new ComponentConnector(
    {
      host: '127.0.0.1',
      port,
      secretFor,
      connectMs: 300,
      limits: { stanzaBytes: 10_000, depth: 10 },
      queue: () => ({ stanzas: limits.queueStanzas ?? 100, bytes: 100_000, waitMs: 60_000 }),
    },
    {
      connected: of => tell(`up ${of}`),
      disconnected: (of, reason, wasUp) => tell(`down ${of}${wasUp ? '' : ', never up'}: ${reason}`),
    },
    {
      openSink: () => ({
        stanza: ({ id = '' }) => {
          taken.push(id)
          tell(`stanza ${id}`)
        },
        flush: () => undefined,
      }),
      taken: ({ bytes }) => tell(`taken ${bytes}`),
      bounce: (run, { condition }) => bounced.push(`${condition} ${run.bytes}`),
      isLocal: () => true,
    },
  )
  onTestFinished(() => inside.stop(0))
  const says = async (text: string) => {
    while (!told.includes(text)) await wake.promise
  }
  return { inside, told, bounced, taken, says }
}

function stanza(id: string): Run {
  return { bytes: Buffer.from(`<message id='${id}'/>`), stanzas: 1 }
}

describe('the component connector', () => {
  test('is ready once every domain has had its stream, and while one is up', async () => {
    const server = await InsideServer.start()
    const { inside, says } = connector(server.port, () => server.secret)
    inside.setPartners([fabrikam, northwind])
    expect([inside.isReady, inside.faults]).toEqual([
      false,
      ['component fabrikam.com: not connected yet', 'component northwind.example: not connected yet'],
    ])
    await Promise.all([says('up fabrikam.com'), says('up northwind.example')])
    expect([inside.isReady, inside.faults]).toEqual([true, []])
    const stream = await server.component('fabrikam.com')
    stream.end('</stream:stream>')
    await says('down fabrikam.com: the internal server closed the stream')
    expect(inside.isReady).toBe(true)
    expect(inside.faults).toEqual(['component fabrikam.com: the internal server closed the stream'])
  })

  const long = 'x'.repeat(50_000)

  test('takes a roster of any usual size', async () => {
    const server = await InsideServer.start()
    const { inside, taken, says } = connector(server.port, () => server.secret)
    inside.setPartners([fabrikam])
    const stream = await server.component('fabrikam.com')
    stream.send(`<iq type='result' from='romeo@contoso.com' to='fabrikam.com' id='1'>${long}</iq>`)
    await says('stanza 1')
    expect([taken, inside.isReady]).toEqual([['1'], true])
  })

  test.each([
    ["message from='romeo@contoso.com' to='fabrikam.com'"],
    ["iq type='set' from='romeo@contoso.com' to='fabrikam.com'"],
    ["iq type='result' from='romeo@contoso.com/desk' to='fabrikam.com'"],
    ["iq type='result' from='romeo@contoso.com' to='juliet@fabrikam.com'"],
  ])('takes nothing else as long as that: %s', async start => {
    const server = await InsideServer.start()
    const { inside, taken, told, says } = connector(server.port, () => server.secret)
    inside.setPartners([fabrikam])
    const stream = await server.component('fabrikam.com')
    stream.send(`<${start} id='1'>${long}</${start.split(' ')[0]}>`)
    const error = await stream.next('error')
    stream.end('</stream:stream>')
    const reason = 'policy-violation (an element over the size limit)'
    await says(`down fabrikam.com: what the internal server sent cannot be read: ${reason}`)
    expect(error.children.map(({ name }) => name)).toContain('stanza-too-big')
    expect([taken, told.length]).toEqual([[], 2])
  })

  test('keeps what waits in order, and delivers it once the server is there', async () => {
    const server = await InsideServer.start()
    const { inside, bounced, told, says } = connector(server.port, () => server.secret, { queueStanzas: 2 })
    inside.setPartners([fabrikam])
    const destination = inside.destination(fabrikam)
    for (const id of ['a', 'b', 'c']) destination.send(stanza(id))
    expect([inside.waiting, bounced, told]).toEqual([2, ["resource-constraint <message id='c'/>"], []])
    const stream = await server.component('fabrikam.com')
    expect((await stream.next('message')).attributes['id']).toBe('a')
    expect((await stream.next('message')).attributes['id']).toBe('b')
    await says("taken <message id='a'/><message id='b'/>")
    expect(inside.waiting).toBe(0)
  })

  test('says what is wrong with a secret, and tries again with the one that is right by then', async () => {
    const server = await InsideServer.start()
    let secret = 'wrong'
    const { inside, told, says } = connector(server.port, () => secret)
    inside.setPartners([fabrikam])
    const hint =
      'is internal.secret (or componentSecret of the partner) the one it knows, and has it been told of this domain? (docs/inside.md)'
    await says(`down fabrikam.com, never up: the internal server closed the stream: not-authorized; ${hint}`)
    secret = server.secret
    await says('up fabrikam.com')
    expect(told).toHaveLength(2)
  })

  test.each([
    ['longer and longer where that comes at once', 0, [500, 1_000, 2_000]],
    ['shortly where it was up for long', 16_000, [500, 500, 500]],
  ])('that is accepted and thrown out pauses %s', async (_, upMs, pauses) => {
    const server = await InsideServer.start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    vi.spyOn(Math, 'random').mockReturnValue(0.5) // the middle of what is drawn
    onTestFinished(() => {
      vi.restoreAllMocks()
      vi.useRealTimers()
    })
    const { inside, told } = connector(server.port, () => server.secret)
    inside.setPartners([fabrikam])
    const paused: number[] = []
    for (const [round] of pauses.entries()) {
      while (told.length === 2 * round) await new Promise(setImmediate) // up
      vi.advanceTimersByTime(upMs)
      const stream = await server.component('fabrikam.com')
      stream.end('</stream:stream>')
      await stream.closed()
      while (told.length === 2 * round + 1) await new Promise(setImmediate) // down
      const downMs = performance.now()
      vi.advanceTimersToNextTimer()
      paused.push(Math.round(performance.now() - downMs))
    }
    expect(paused).toEqual(pauses)
  })

  test('says where it cannot connect to', async () => {
    const port = await closedPort()
    const { inside, says } = connector(port, () => '')
    inside.setPartners([fabrikam])
    const reason = `cannot connect to 127.0.0.1 port ${port}: connect ECONNREFUSED 127.0.0.1:${port}; does the internal server run, and take components there (docs/inside.md)?`
    await says(`down fabrikam.com, never up: ${reason}`)
  })

  test('gives up a server that accepts and says nothing', async () => {
    const port = await listen()
    const { inside, says } = connector(port, () => '')
    inside.setPartners([fabrikam])
    await says(`down fabrikam.com, never up: 127.0.0.1 port ${port}: no component stream within 0.3 s`)
  })

  test('takes nothing for a domain that is no longer a partner’s, and ends its stream', async () => {
    const server = await InsideServer.start()
    const { inside, bounced, says } = connector(server.port, () => server.secret)
    inside.setPartners([fabrikam])
    await says('up fabrikam.com')
    const stream = await server.component('fabrikam.com')
    inside.destination(fabrikam).send(stanza('before'))
    inside.setPartners([])
    inside.destination(fabrikam).send(stanza('behind'))
    expect((await stream.next('message')).attributes['id']).toBe('before')
    await stream.streamEnd()
    expect(bounced).toEqual(["not-allowed <message id='behind'/>"])
  })

  test('settles: what waits bounces, and nothing is tried any more', async () => {
    const { inside, bounced, told } = connector(await closedPort(), () => '')
    inside.setPartners([fabrikam])
    const destination = inside.destination(fabrikam)
    destination.send(stanza('a'))
    await inside.settle(1_000)
    destination.send(stanza('b'))
    expect(bounced).toEqual([
      "remote-server-timeout <message id='a'/>",
      "remote-server-timeout <message id='b'/>",
    ])
    await inside.stop(1_000)
    expect(told).toHaveLength(1)
  })

  test('stops in time, whoever does not end his stream, or never began one', async () => {
    const server = await InsideServer.start()
    const silent = await listen()
    const parts = [connector(server.port, () => server.secret), connector(silent, () => '')] as const
    for (const { inside } of parts) inside.setPartners([fabrikam])
    await parts[0].says('up fabrikam.com')
    const stream = await server.component('fabrikam.com')
    parts[0].inside.destination(fabrikam).send(stanza('last'))
    const stopping = Promise.all(parts.map(({ inside }) => inside.stop(50)))
    expect((await stream.next('message')).attributes['id']).toBe('last')
    await stopping
    await stream.halfClose()
    expect(parts[0].bounced).toEqual([])
  })
})
