import { expect, test } from 'vitest'
import { whyOf } from '../support/broken-partners.ts'
import { daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { juliet, message } from './numbered.ts'

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }

async function nowOf({ folder }: RunningGateway): Promise<string | undefined> {
  const { out } = await runCommand(['why', 'fabrikam.com', '--config', folder.file])
  return out.match(/^Now +(.*)$/m)?.[1]
}

test('a stream that is negotiated is told while it is, and what has gone wrong with it so far', async () => {
  const gateway = await startGateway()
  const peer = await gateway.connect(gateway.identity('fabrikam.com', expired))
  await peer.opensSecurely()
  const { state, attempts } = await whyOf(gateway, 'fabrikam.com')
  expect(attempts).toBe(0)
  expect(state).toMatchObject({
    streams: [],
    negotiating: [
      {
        direction: 'in',
        local: 'contoso.com',
        remote: 'fabrikam.com',
        address: '127.0.0.1',
        since: expect.stringMatching(/Z$/),
        soFar: { code: 'certificate-expired', reason: expect.stringContaining('expired on') },
      },
    ],
  })
  expect(await nowOf(gateway)).toMatch(
    /^in \(fabrikam\.com to contoso\.com\) negotiating from 127\.0\.0\.1 since [-\d]+T[:\d]+Z, so far: certificate-expired; out down$/,
  )
  peer.end('</stream:stream>')
  await gateway.event('stream.closed')
  expect(await nowOf(gateway)).toBe('out down; in down')
})

test('nothing is told to have gone wrong where nothing has; a stream that is up is not negotiated', async () => {
  const gateway = await startGateway()
  const peer = await gateway.connect()
  await peer.opensSecurely()
  expect((await whyOf(gateway, 'fabrikam.com')).state?.negotiating).toMatchObject([{ soFar: null }])
  await peer.sendsExternal()
  await gateway.event('stream.authenticated')
  expect((await whyOf(gateway, 'fabrikam.com')).state).toMatchObject({
    negotiating: [],
    streams: [{ direction: 'in' }],
  })
})

test('our own attempt is told while it is made', async () => {
  const gateway = await startGateway({ inside: 'component' })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message('one', juliet, 'romeo@fabrikam.com'))
  const peer = await server.next()
  await peer.header()
  expect(await nowOf(gateway)).toMatch(
    /^out \(contoso\.com to fabrikam\.com\) negotiating since [-\d]+T[:\d]+Z; in down; 1 stanza waits$/,
  )
})

test('who comes from another partner is told there alone', async () => {
  const gateway = await startGateway({
    partners: [{ primaryDomain: 'fabrikam.com' }, { primaryDomain: 'tailspin.com' }],
  })
  const peer = await gateway.connect(gateway.identity('tailspin.com'))
  await peer.opensSecurely()
  expect((await whyOf(gateway, 'fabrikam.com')).state?.negotiating).toEqual([])
  expect((await whyOf(gateway, 'tailspin.com')).state?.negotiating).toHaveLength(1)
})
