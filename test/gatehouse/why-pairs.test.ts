import { describe, expect, test } from 'vitest'
import { whyOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { serve } from '../support/profiled-peer.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { juliet, message } from './numbered.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
const good = { tls: 'offered', certificate: 'valid', external: 'accepted', dialback: false } as const

async function ask(gateway: RunningGateway, about: string) {
  return runCommand(['why', about, '--config', gateway.folder.file])
}

/** The partner is in, and its stream ends. */
async function comes(gateway: RunningGateway, end: 'ends' | 'is lost'): Promise<void> {
  const before = gateway.events('stream.closed').length
  const peer = await gateway.connect()
  await peer.authenticates()
  if (end === 'ends') peer.end('</stream:stream>')
  else peer.reset()
  await gateway.event('stream.closed', () => gateway.events('stream.closed').length > before)
}

describe('a partner with two domains', () => {
  test('of which one is down is told apart from it, whichever is asked about', async () => {
    const partner = { primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'] }
    const gateway = await startGateway({ inside: 'component', partners: [partner] })
    gateway.zone.federate('corp.fabrikam.com', { port: await closedPort() })
    await serve(gateway, gateway.identity(), good)
    const corp = await gateway.inside.component('corp.fabrikam.com')
    corp.send(message('a', juliet, 'romeo@corp.fabrikam.com'))
    await gateway.event('stream.refused', ({ remote }) => remote === 'corp.fabrikam.com')
    const primary = await gateway.inside.component('fabrikam.com')
    primary.send(message('b', juliet, 'romeo@fabrikam.com'))
    await gateway.event('stream.authenticated', ({ remote }) => remote === 'fabrikam.com')

    const down = await ask(gateway, 'corp.fabrikam.com')
    expect(down.status).toBe(1)
    expect(down.out).toMatch(/^Last success +none in the journal$/m)
    expect(down.out).toMatch(/^out +contoso\.com to corp\.fabrikam\.com +fails: connect-refused +none$/m)
    expect(down.out).toMatch(/^out +contoso\.com to fabrikam\.com +(up|idle) +20/m)
    expect(down.out).not.toContain('It has worked since')
    const whole = await ask(gateway, 'fabrikam.com')
    expect(whole.status).toBe(1)
    expect(whole.out).toMatch(
      /The last one that failed:\n\n.*, out, contoso\.com to corp\.fabrikam\.com \(failed\)$/m,
    )
    expect(whole.out).toMatch(/^Last success +20.*contoso\.com to fabrikam\.com, authenticated by/m)
    expect(whole.out).toContain('What to do')
  })

  test('which fail alike are told together, each by its name, with what to do once', async () => {
    const partner = { primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'] }
    const gateway = await startGateway({ inside: 'component', partners: [partner] })
    const port = await closedPort()
    for (const name of ['fabrikam.com', 'corp.fabrikam.com']) {
      gateway.zone.federate(name, { port })
      const component = await gateway.inside.component(name)
      component.send(message('a', juliet, `romeo@${name}`))
      await gateway.event('stream.refused', ({ remote }) => remote === name)
    }
    const { out } = await ask(gateway, 'fabrikam.com')
    expect(out.match(/^What to do/gm)).toHaveLength(1)
    expect(out).toMatch(/^So did:\n.*, out, contoso\.com to fabrikam\.com, failed: connect-refused/m)
  })
})

describe('what is wrong now', () => {
  test('is not hidden by what was wrong and has worked since', async () => {
    const gateway = await startGateway()
    await comes(gateway, 'is lost')
    expect((await ask(gateway, 'fabrikam.com')).status).toBe(1)
    await comes(gateway, 'ends')
    expect(await ask(gateway, 'fabrikam.com')).toMatchObject({
      status: 0,
      out: expect.stringContaining('It has worked since.'),
    })
    const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
    await peer.opensSecurely()
    peer.end('</stream:stream>')
    await gateway.event('stream.closed', ({ code }) => code === 'certificate-expired')
    const { status, out } = await ask(gateway, 'fabrikam.com')
    expect(status).toBe(1)
    expect(out).toMatch(/may be of anybody:\n\n.*claimed to be fabrikam\.com and proved nothing/)
    expect(out).toMatch(/^What it means +A certificate has expired\.$/m)
    expect(out).not.toContain('It has worked since')
    await comes(gateway, 'ends')
    expect(await whyOf(gateway, 'fabrikam.com')).toMatchObject({ isFailing: false, isMended: true })
  })
})

describe('one of our own domains', () => {
  test('is no partner, and why and probe say whom to ask instead', async () => {
    const gateway = await startGateway()
    const why = await ask(gateway, 'contoso.com')
    expect(why.status).toBe(1)
    expect(why.out).toMatch(
      /^contoso\.com is one of our own domains, and no partner\.\n.*gatehouse dns.*gatehouse cert check/,
    )
    expect(why.out).not.toContain('add it')
    const probe = await runCommand(['probe', 'contoso.com', '--config', gateway.folder.file])
    expect(probe).toMatchObject({ status: 1, out: '' })
    expect(probe.err).toMatch(/contoso\.com is one of our own domains.*gatehouse dns.*gatehouse cert check/)
  })
})
