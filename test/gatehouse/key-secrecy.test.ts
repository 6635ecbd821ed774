import { describe, expect, test } from 'vitest'
import { runCommand } from '../support/command-host.ts'
import { startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { juliet, message, romeo } from './numbered.ts'

const partners = [{ primaryDomain: 'fabrikam.com', saslNegotiation: 'optional', dialbackNegotiation: true }]

describe('a key that a stranger sent', () => {
  test('is in no log line of what happens later between the two domains, and not in the journal', async () => {
    const gateway = await startGateway({ partners, inside: 'component' })
    gateway.zone.federate('fabrikam.com', { port: await closedPort() })
    const peer = await gateway.connect()
    await peer.opensSecurely()
    peer.sendKey('the-key')
    expect(await peer.keyAnswer()).toBe('remote-connection-failed')
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    await inside.next('message')
    const refused = gateway.events('stream.refused').filter(({ direction }) => direction === 'out')
    const fields = ['code', 'condition', 'direction', 'event', 'local', 'reason', 'remote']
    // The question about the key, and the stanza.
    peer.end('</stream:stream>')
    await gateway.event('stream.closed', ({ direction }) => direction === 'in')
    const { out } = await runCommand([
      'why',
      'fabrikam.com',
      '--all',
      '--json',
      '--config',
      gateway.folder.file,
    ])
    expect(out).toContain('peer-key')
    expect(out).not.toContain('the-key')
    expect(refused.map(event => Object.keys(event).toSorted())).toEqual([fields, fields])
  })
})
