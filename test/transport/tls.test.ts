import { once } from 'node:events'
import tls from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseCertificate } from '../../src/identity/certificate.ts'
import { trustAnchors } from '../../src/identity/chain.ts'
import { judgeCertificate } from '../../src/identity/verdict.ts'
import { type SecuredSocket, TlsContexts } from '../../src/transport/tls.ts'
import {
  allNames,
  type CertificateOptions,
  createAuthority,
  createSelfSigned,
} from '../support/certificates.ts'
import { acceptFrom, between, credential, domain } from './tls-peers.ts'

const subjects = ({ chain }: SecuredSocket) => chain.map(({ subject }) => subject)

describe('a TLS handshake', () => {
  test('shows each side the whole chain of the other, leaf first', async () => {
    const authority = createAuthority({ name: 'Root' }).intermediate({ commonName: 'CA' })
    const contoso = new TlsContexts([credential('contoso.com', authority.issueFor('contoso.com'))])
    const fabrikam = new TlsContexts([credential('fabrikam.com', authority.issueFor('fabrikam.com'))])
    const { accepted, connected } = await between(contoso, fabrikam)
    expect(subjects(accepted)).toEqual(['CN=fabrikam.com', 'CN=CA'])
    expect(subjects(connected)).toEqual(['CN=contoso.com', 'CN=CA'])
    expect(accepted).toMatchObject({
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      servername: 'contoso.com',
    })
    expect(connected).toMatchObject({ version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' })
  })

  test('keeps the root where it was sent along', async () => {
    const root = createAuthority({ name: 'Root' })
    const ours = { ...gateways(root) }
    const leaf = root.issueFor('fabrikam.com')
    const chainPem = leaf.certificatePem + root.certificatePem
    const fabrikam = new TlsContexts([credential('fabrikam.com', { ...leaf, chainPem })])
    const { accepted } = await between(ours.contoso, fabrikam)
    expect(subjects(accepted)).toEqual(['CN=fabrikam.com', 'CN=Root'])
  })

  test('carries bytes both ways, those sent at once included', async () => {
    const { contoso, fabrikam } = gateways()
    const { accepted, connected } = await between(contoso, fabrikam)
    connected.socket.write('ping')
    expect(String(await once(accepted.socket, 'data'))).toBe('ping')
    accepted.socket.write('pong')
    expect(String(await once(connected.socket, 'data'))).toBe('pong')
  })

  test('leaves one listener behind: an error that nobody listened for would end the process', async () => {
    const { contoso, fabrikam } = gateways()
    const { accepted, connected } = await between(contoso, fabrikam, { unguarded: true })
    const count = ({ socket }: SecuredSocket, event: string) => socket.listenerCount(event)
    expect([count(connected, 'error'), count(connected, 'secureConnect')]).toEqual([1, 0])
    expect(count(accepted, 'error')).toBeGreaterThan(0)
    expect(count(accepted, 'data') + count(connected, 'data')).toBe(0)
  })

  test('speaks TLS 1.2 with who knows no better', async () => {
    const { contoso, leaf } = gateways()
    const { accepted } = await acceptFrom(contoso, { ...pemOf(leaf), maxVersion: 'TLSv1.2' })
    expect(accepted.version).toBe('TLSv1.2')
    expect(subjects(accepted)).toEqual(['CN=fabrikam.com'])
  })

  test('survives the end of one direction, on both sides', async () => {
    const { contoso, fabrikam } = gateways()
    const { accepted, connected } = await between(contoso, fabrikam)
    expect(await lastWords(connected.socket, accepted.socket)).toBe('</stream:stream>')
    const other = await between(contoso, fabrikam)
    expect(await lastWords(other.accepted.socket, other.connected.socket)).toBe('</stream:stream>')
  })
})

describe('the certificate of a connecting server is seen, and judged as a server’s, when it', () => {
  type Row = readonly [what: string, options: CertificateOptions, fault: string | undefined]

  test.each([
    ['is for servers alone', { eku: ['serverAuth'] }, undefined],
    ['is for both', { eku: ['serverAuth', 'clientAuth'] }, undefined],
    ['is for any purpose', { eku: 'absent' }, undefined],
    ['is for clients alone', { eku: ['clientAuth'] }, 'wrong-purpose'],
    ['has expired', { notBefore: new Date(0), notAfter: new Date(1e12) }, 'expired'],
    ['has another name', { names: allNames('contoso.com') }, 'wrong-name'],
  ] satisfies Row[])('%s', async (_, options, fault) => {
    const root = createAuthority()
    const { accepted } = await acceptFrom(
      gateways(root).contoso,
      pemOf(root.issueFor('fabrikam.com', options)),
    )
    expect(faultOf(accepted, root.certificate)).toBe(fault)
  })

  test('is self-signed', async () => {
    const leaf = createSelfSigned({ names: allNames('fabrikam.com') })
    const { accepted } = await acceptFrom(gateways().contoso, pemOf(leaf))
    expect(faultOf(accepted, createAuthority().certificate)).toBe('self-signed')
  })

  test('is absent', async () => {
    const { accepted } = await acceptFrom(gateways().contoso, {})
    expect(accepted.chain).toEqual([])
    expect(faultOf(accepted, createAuthority().certificate)).toBe('none')
  })

  test('leaves nothing for Node to authorise, even where the system trusts its CA', async () => {
    const root = createAuthority()
    const system = tls.getCACertificates('default')
    onTestFinished(() => tls.setDefaultCACertificates(system))
    tls.setDefaultCACertificates([root.certificatePem])
    const authority = root.intermediate({ eku: 'absent' })
    const { accepted, connected } = await between(gateways(authority).contoso, gateways(authority).fabrikam)
    expect([accepted.socket.authorized, connected.socket.authorized]).toEqual([false, false])
    expect([accepted.chain.length, connected.chain.length]).toEqual([2, 2])
  })
})

describe('a session is not resumed', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)('in %s', async version => {
    const { contoso, leaf } = gateways()
    const options = { ...pemOf(leaf), minVersion: version, maxVersion: version } as const
    const first = await acceptFrom(contoso, options)
    const offered: Buffer[] = []
    first.client.on('session', session => offered.push(session))
    first.accepted.socket.write('.')
    await once(first.client, 'data') // whatever tickets there are came before
    const session = offered[0] ?? first.client.getSession() ?? expect.fail('no session')
    const second = await acceptFrom(contoso, { ...options, session })
    expect(second.accepted.socket.isSessionReused()).toBe(false)
    expect(second.accepted.chain).toHaveLength(1)
  })
})

function gateways(root = createAuthority()) {
  const leaf = root.issueFor('fabrikam.com')
  return {
    contoso: new TlsContexts([credential('contoso.com', root.issueFor('contoso.com'))]),
    fabrikam: new TlsContexts([credential('fabrikam.com', leaf)]),
    leaf,
  }
}

function pemOf({ chainPem, keyPem }: { chainPem: string; keyPem: string }) {
  return { cert: chainPem, key: keyPem }
}

function faultOf({ chain }: SecuredSocket, root: Buffer): string | undefined {
  const anchors = trustAnchors([parseCertificate(root)])
  const verdict = judgeCertificate(chain, domain('fabrikam.com'), { anchors }, new Date())
  return verdict.valid ? undefined : verdict.fault
}

// One side ends; the other answers later, not in the same turn of the event loop.
async function lastWords(ending: tls.TLSSocket, answering: tls.TLSSocket): Promise<string> {
  ending.end()
  answering.resume()
  await once(answering, 'end')
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
  answering.end('</stream:stream>')
  let received = ''
  for await (const chunk of ending.setEncoding('utf8')) received += chunk
  return received
}
