import { describe, expect, test } from 'vitest'
import { parseDomain } from '../../src/xmpp/address.ts'
import { createAuthority } from '../support/certificates.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'

describe('a configuration that says the least', () => {
  test('has the defaults of the contract', () => {
    const folder = configFolder()
    expect(folder.load()).toMatchObject({
      listen: [{ address: '::', port: 5269, directTls: false }],
      internal: { connector: 'embedded' },
      dialback: { secret: undefined, replyToInvalidKey: true },
      dns: { servers: undefined, timeoutMs: 5000 },
      trust: { system: true, anchorsPem: [], requireClientAuthEku: false },
      store: { sqlite: folder.at('data/gatehouse.db') },
      admin: {
        address: '127.0.0.1',
        port: 5280,
        socket: folder.at('data/gatehouse.sock'),
        tokens: folder.at('data/tokens.yaml'),
      },
      limits: {
        stanzaBytes: 262_144,
        depth: 64,
        connections: 10_000,
        partnerConnections: 100,
        unauthenticatedPerAddress: 20,
        unauthenticatedBytes: 8192,
        unauthenticatedElements: 32,
        queueStanzas: 1000,
        queueBytes: 4_194_304,
      },
      timeouts: {
        streamEstablishmentMs: 30_000,
        dialbackMs: 15_000,
        connectMs: 10_000,
        queueMs: 60_000,
        inactivityMs: 1_800_000,
        keepAliveMs: 60_000,
        shutdownMs: 10_000,
      },
      log: { level: 'info', messageBodies: false, bufferBytes: 1_048_576 },
    })
  })

  test('keeps a self-signed certificate in certs, beside its own folder, and warns of it', () => {
    const folder = configFolder()
    expect(folder.load().domains.get(parseDomain('contoso.com')!)).toEqual({
      domain: 'contoso.com',
      writtenAs: 'contoso.com',
      directory: folder.at('certs'),
    })
    expect(folder.problems()).toEqual([expect.stringMatching(/^gatehouse.yaml:2:18 warning .*selfSigned/)])
  })

  test('cannot be changed once it is loaded', () => {
    const config = configFolder().load()
    expect(() => Object.assign(config.limits, { depth: 1 })).toThrow(TypeError)
    expect(() => Object.assign(config, { file: '' })).toThrow(TypeError)
  })

  test('takes a section of which everything is commented out for one left out', () => {
    const folder = configFolder({ 'config/gatehouse.yaml': `${leastConfig}limits:\n  # depth: 7\ntrust:\n` })
    expect(folder.load().limits.depth).toBe(64)
  })
})

describe('a configuration that says everything', () => {
  const root = createAuthority()
  const issued = root.issueFor('contoso.com')
  const files = {
    'certs/contoso.com.crt': issued.chainPem,
    'certs/contoso.com.key': issued.keyPem,
    'certs/ca.pem': root.certificatePem,
    'certs/dialback.secret': `${'d'.repeat(40)}\n`,
    'config/gatehouse.yaml': `
listen: [{ address: "127.0.0.1", port: 0 }, { address: "::1", port: 5270, directTls: true }]
domains:
  contoso.com: { certificate: ../certs/contoso.com.crt, key: ../certs/contoso.com.key }
internal: { connector: component, host: prosody.inside, port: 5348, secret: { env: COMPONENT } }
partners: lists/all.yaml
dialback: { secret: { file: ../certs/dialback.secret }, replyToInvalidKey: false }
dns: { servers: ["127.0.0.1:5353", "[::1]:53"], timeout: 750ms }
trust: { system: false, anchors: [../certs/ca.pem], requireClientAuthEku: true }
timeouts: { queue: 2m, inactivity: 1h }
log: { level: debug }
`,
    'config/lists/all.yaml': `
partners:
  - primaryDomain: Fabrikam.com
    description: Supplier
    additionalDomains: [münchen.example]
    partnerType: publicVerified
    keepAlive: true
    connectionLimit: 7
    proxy: "[2001:db8::1]:5270"
    trustAnchors: [../../certs/ca.pem]
    pinnedCertificates: ["sha256:${'AB:'.repeat(31)}CD", sha256:${'0f'.repeat(32)}]
    componentSecret: own
`,
  }

  test('is read whole', () => {
    const folder = configFolder(files)
    const config = folder.load({ COMPONENT: 'from the environment' })
    expect(config.warnings).toEqual([])
    expect(config).toMatchObject({
      listen: [{ port: 0 }, { address: '::1', directTls: true }],
      internal: {
        connector: 'component',
        host: 'prosody.inside',
        port: 5348,
        secret: 'from the environment',
      },
      dialback: { secret: 'd'.repeat(40), replyToInvalidKey: false },
      dns: { servers: ['127.0.0.1:5353', '[::1]:53'], timeoutMs: 750 },
      trust: { system: false, anchorsPem: [{ path: folder.at('certs/ca.pem'), pem: root.certificatePem }] },
      timeouts: { queueMs: 120_000, inactivityMs: 3_600_000 },
      log: { level: 'debug', messageBodies: false, bufferBytes: 1_048_576 },
    })
    expect(config.domains.get(parseDomain('contoso.com')!)).toMatchObject({
      certificate: { path: folder.at('certs/contoso.com.crt'), pem: issued.chainPem },
      key: { pem: issued.keyPem },
    })
  })

  test('gives each partner what its entry and its presets say', () => {
    const { partners } = configFolder(files).load({ COMPONENT: 'x' })
    expect(partners.find(parseDomain('MÜNCHEN.example')!)).toEqual({
      primaryDomain: 'fabrikam.com',
      domains: ['fabrikam.com', 'xn--mnchen-3ya.example'],
      description: 'Supplier',
      partnerType: 'publicVerified',
      tlsNegotiation: 'required',
      saslNegotiation: 'optional',
      dialbackNegotiation: true,
      terms: { tls: 'required', methods: ['sasl-external-tls', 'dialback-tls'] },
      keepAlive: true,
      connectionLimit: 7,
      proxy: { host: '2001:db8::1', port: 5270 },
      trustAnchorsPem: [root.certificatePem],
      pinnedCertificates: [`${'ab'.repeat(31)}cd`, '0f'.repeat(32)],
      componentSecret: 'own',
    })
  })
})

describe('a partner list', () => {
  test.each([
    '',
    'partners:\n',
    'partners: []\n',
    '# nothing yet\npartners:\n  # - primaryDomain: a.example\n',
  ])('may be empty: %j', list => {
    // A file without anything in it is more likely a mistake than a list.
    const folder = configFolder({ 'config/partners.yaml': list })
    if (list === '') expect(folder.problems().join()).toContain('partners.yaml is empty')
    else expect(folder.load().partners.all).toEqual([])
  })
})
