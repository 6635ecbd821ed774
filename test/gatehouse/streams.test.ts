import { describe, expect, test } from 'vitest'
import { startGateway } from '../support/running-gateway.ts'

const namespaces = "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'"
const names = "from='fabrikam.com' to='contoso.com'"

describe('a stream header', () => {
  test.each([
    ['without to', 'host-unknown', `<stream:stream ${namespaces} from='fabrikam.com' version='1.0'>`],
    [
      'to a domain not served',
      'host-unknown',
      `<stream:stream ${namespaces} from='fabrikam.com' to='sub.contoso.com' version='1.0'>`,
    ],
    [
      'from nobody known',
      'policy-violation',
      `<stream:stream ${namespaces} from='sub.fabrikam.com' to='contoso.com' version='1.0'>`,
    ],
    [
      'from the domain it is to',
      'policy-violation',
      `<stream:stream ${namespaces} from='contoso.com' to='contoso.com' version='1.0'>`,
    ],
    [
      'of a client',
      'invalid-namespace',
      `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' ${names} version='1.0'>`,
    ],
    [
      'of another stream namespace',
      'invalid-namespace',
      `<stream:stream xmlns='jabber:server' xmlns:stream='urn:other' ${names} version='1.0'>`,
    ],
    ['of another name', 'bad-format', `<stream:flow ${namespaces} ${names} version='1.0'>`],
    [
      'with an undeclared prefix',
      'bad-namespace-prefix',
      `<stream:stream xmlns='jabber:server' ${names} version='1.0'>`,
    ],
    [
      'with an attribute twice',
      'not-well-formed',
      `<stream:stream ${namespaces} ${names} to='contoso.com' version='1.0'>`,
    ],
    ['with an attribute without quotes', 'not-well-formed', `<stream:stream ${namespaces} to=contoso.com>`],
    ['behind text', 'not-well-formed', `hello <stream:stream ${namespaces} ${names} version='1.0'>`],
    ['behind a comment', 'restricted-xml', `<!-- x --><stream:stream ${namespaces} ${names} version='1.0'>`],
    [
      'behind a DTD',
      'restricted-xml',
      `<!DOCTYPE stream [<!ENTITY a 'b'>]><stream:stream ${namespaces} ${names} version='1.0'>`,
    ],
    [
      'behind a processing instruction',
      'restricted-xml',
      `<?php ?><stream:stream ${namespaces} ${names} version='1.0'>`,
    ],
    [
      'in Latin-1',
      'unsupported-encoding',
      `<?xml version='1.0' encoding='iso-8859-1'?><stream:stream ${namespaces} ${names} version='1.0'>`,
    ],
    [
      'in UTF-16 with a byte order mark',
      'unsupported-encoding',
      Buffer.from(`\ufeff<stream:stream ${namespaces} ${names} version='1.0'>`, 'utf16le'),
    ],
    [
      'in UTF-16',
      'unsupported-encoding',
      Buffer.from(`<stream:stream ${namespaces} ${names} version='1.0'>`, 'utf16le'),
    ],
    [
      'that is not UTF-8',
      'not-well-formed',
      Buffer.from(`<stream:stream ${namespaces} from='\xff' version='1.0'>`, 'latin1'),
    ],
    ['that never ends', 'policy-violation', `<stream:stream ${namespaces} from='${'a'.repeat(9000)}`],
    ['that is HTTP', 'not-well-formed', 'GET / HTTP/1.1\r\nHost: contoso.com\r\n\r\n'],
  ])('%s is answered by a header and %s', async (_, condition, bytes) => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    peer.send(bytes)
    const { name, xmlns, attributes } = await peer.header()
    expect({ name, xmlns }).toEqual({ name: 'stream', xmlns: 'http://etherx.jabber.org/streams' })
    expect(attributes).toMatchObject({ from: 'contoso.com', version: '1.0', xmlns: 'jabber:server' })
    await peer.isClosedWith(condition)
    await gateway.hasNoStreams()
    expect(gateway.events('stream.refused')).toMatchObject([{ direction: 'in', condition }])
  })

  test('is answered by one that swaps the names, and has a new random id (RFC 6120 §4.7)', async () => {
    const gateway = await startGateway()
    const ids = new Set<string>()
    for (let stream = 0; stream < 3; stream++) {
      const peer = await gateway.connect()
      await peer.opens()
      const { attributes } = await peer.header()
      expect(attributes).toMatchObject({ from: 'contoso.com', to: 'fabrikam.com', version: '1.0' })
      expect(attributes['id']).toMatch(/^[0-9a-f]{32,}$/)
      ids.add(attributes['id']!)
    }
    expect(ids.size).toBe(3)
  })

  test.each(['1.1', '2.0', '10.0'])('of version %s is answered 1.0', async version => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    peer.send(`<stream:stream ${namespaces} ${names} version='${version}'>`)
    expect((await peer.header()).attributes['version']).toBe('1.0')
    await peer.next('features')
  })

  test('without a version is answered without one, and without features', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    const header = await peer.opens({ version: null })
    expect(header.attributes['version']).toBeUndefined()
    peer.send('<message/>')
    await peer.isClosedWith('not-authorized')
    expect(peer.text).not.toContain('features')
  })

  test('may come byte by byte, and in other clothes', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    const text =
      '\ufeff<?xml version="1.0" encoding="utf-8"?>\n' +
      `<s:stream xmlns:s="http://etherx.jabber.org/streams" xmlns='jabber:server' ${names}\n version = '1.0' >`
    await peer.sendInChunks(text, 1)
    await peer.next('features')
  })
})

describe('the header after SASL', () => {
  test.each([
    ['from', { from: 'corp.fabrikam.com' }],
    ['to', { to: 'contoso.org' }],
    ['to, by leaving it out', { to: null }],
  ])('may not change %s', async (_, choices) => {
    const gateway = await startGateway({
      partners: [{ primaryDomain: 'fabrikam.com', additionalDomains: ['corp.fabrikam.com'] }],
    })
    const peer = await gateway.connect()
    await peer.opensSecurely()
    await peer.sendsExternal()
    peer.sendHeader(choices)
    await peer.header()
    await peer.isClosedWith('improper-addressing')
  })
})

describe('the header after TLS', () => {
  test('may name another domain, whose policy holds from there on', async () => {
    const gateway = await startGateway({
      partners: [{ primaryDomain: 'fabrikam.com' }, { primaryDomain: 'adatum.com' }],
    })
    const peer = await gateway.connect(gateway.identity('adatum.com'))
    await peer.opens({ from: 'fabrikam.com' })
    await peer.startsTls()
    await peer.opens()
    await peer.sendsExternal()
    await peer.opens()
    expect(gateway.events('stream.authenticated')).toMatchObject([{ remote: 'adatum.com' }])
  })
})

describe('a peer that closes its stream', () => {
  test('gets the end tag and the end of the connection', async () => {
    const gateway = await startGateway()
    const peer = await gateway.connect()
    await peer.authenticates()
    peer.send('</stream:stream>')
    await peer.streamEnd()
    await peer.halfClose()
    peer.end()
    await peer.closed()
    expect(gateway.events('stream.closed')).toMatchObject([{ reason: 'closed by the peer' }])
  })
})
