import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { XmlStream } from '../../src/transport/xml-stream.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { connected } from './tls-peers.ts'

const header = `<stream:stream xmlns='${ns.server}' xmlns:stream='${ns.stream}'>`

/** A stream over loopback, what it told, and what the far side received. */
async function xmlStream(options: { failsOn?: string; closeGraceMs?: number } = {}) {
  const { near, far } = await connected()
  const told: string[] = []
  const ours: XmlStream<string> = new XmlStream<string>(
    near,
    {
      content: ns.server,
      limits: { elementBytes: 1000, depth: 10 },
      stallMs: 5_000,
      closeGraceMs: options.closeGraceMs ?? 2_000,
    },
    {
      header: () => told.push('header'),
      element: ({ name, id }) => {
        if (name === options.failsOn) throw new Error('a bug')
        told.push(`${name} ${id}`)
      },
      pausedReading: () => told.push('.'),
      fault: error => {
        told.push(`fault ${error.condition}`)
        ours.close(error.condition, error.message, error.detail)
      },
      ended: isProper => told.push(isProper ? 'ended' : 'cut off'),
      drained: () => undefined,
      closed: () => told.push('closed'),
    },
  )
  let received = ''
  far.on('data', chunk => (received += chunk))
  const tells = async (what: string) => {
    while (!told.includes(what)) await nextTurn()
  }
  return { ours, far, told, tells, received: () => received }
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

describe('an XML stream', () => {
  test('says where one read ends, behind the peer’s end in it', async () => {
    const { far, told, tells } = await xmlStream()
    far.write(`${header}<iq id='1'/><iq id='2'/></stream:stream>`)
    await tells('ended')
    expect(told).toEqual(['header', 'iq 1', 'iq 2', 'ended', '.'])
  })

  test('tells an end without the end tag from one with it', async () => {
    const { far, tells, told } = await xmlStream()
    far.end(header)
    await tells('cut off')
    expect(told).not.toContain('ended')
  })

  test('waits for the peer’s end after its own, takes what comes before that, and then is gone', async () => {
    const { ours, far, told, tells, received } = await xmlStream()
    far.write(header)
    await tells('header')
    ours.send('<stream>')
    ours.sendRun(Buffer.from('<iq/>'), 'run')
    ours.close()
    ours.send('too late')
    far.write("<iq id='late'/></stream:stream>")
    await Promise.all([tells('ended'), once(far, 'end')])
    far.end()
    await tells('closed')
    expect(told).toContain('iq late')
    expect(received()).toBe('<stream><iq/></stream:stream>')
    expect(ours.takeUnsent()).toEqual([])
  })

  test('is gone after its grace where the peer does not end', async () => {
    const { ours, tells } = await xmlStream({ closeGraceMs: 20 })
    ours.close()
    await tells('closed')
  })

  test('that ends while it is paused waits to be read on: memory is bounded until the end', async () => {
    const { ours, far, told, tells } = await xmlStream()
    far.write(header)
    await tells('header')
    ours.pause()
    ours.close('system-shutdown')
    far.write("<iq id='1'/></stream:stream>")
    for (let turn = 0; turn < 50; turn++) await nextTurn()
    expect(told).not.toContain('iq 1')
    ours.resume()
    await tells('iq 1')
  })

  test('that ends for a fault while it is paused reads on, to hear the end, and takes nothing', async () => {
    const { ours, far, told, tells } = await xmlStream()
    far.write(header)
    await tells('header')
    ours.pause()
    ours.close('policy-violation')
    far.end("<iq id='1'/></stream:stream>")
    await tells('closed')
    expect(told).not.toContain('iq 1')
  })

  test.each([
    ['is not well-formed', '<a></b>', 'not-well-formed', ''],
    ['is too big', `<a>${'x'.repeat(2000)}`, 'policy-violation', `<stanza-too-big xmlns='${ns.errors}'/>`],
    ['makes our own code fail', '<bug/>', 'internal-server-error', ''],
  ])(
    'is closed with the error, once, by what %s; what came before counts',
    async (_, text, condition, detail) => {
      const { far, told, tells, received } = await xmlStream({ failsOn: 'bug', closeGraceMs: 20 })
      far.write(`${header}<iq id='1'/>${text}`)
      await tells(`fault ${condition}`)
      far.write('<iq id="2"/>')
      await once(far, 'end').catch(() => undefined)
      expect(told.slice(0, 4)).toEqual(['header', 'iq 1', '.', `fault ${condition}`])
      expect(told).not.toContain('iq 2')
      expect(received()).toContain(`<${condition} xmlns='${ns.streams}'/>`)
      expect(received()).toContain(`${detail}</stream:error></stream:stream>`)
    },
  )

  test('settles once everything was taken, or the peer that does not read was dropped', async () => {
    const { ours, far, tells } = await xmlStream()
    ours.sendRun(Buffer.from('<iq/>'), 'run')
    await ours.settle(2_000)
    expect(ours.takeUnsent()).toEqual([])
    far.pause()
    while (ours.sendRun(Buffer.alloc(65_536, ' '), 'more')) await nextTurn()
    await ours.settle(50)
    await tells('closed')
    expect(ours.takeUnsent().at(-1)).toBe('more')
  })
})
