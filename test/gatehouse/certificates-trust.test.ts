import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { domainToASCII } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  type Authority,
  allNames,
  createAuthority,
  createSelfSigned,
  daysFromNow,
  type Issued,
} from '../support/certificates.ts'
import { childText } from '../support/client.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { message } from './numbered.ts'

/** What becomes of EXTERNAL under a certificate: `success`, or why not, in the SASL failure and in the log. */
type Verdicts = { readonly in: string; readonly out: string }

async function judge(gateway: RunningGateway, domain: string, shown: Issued): Promise<Verdicts> {
  const identity = gateway.identity(domain, shown)
  const peer = await gateway.connect(identity)
  await peer.opensSecurely()
  const outcome = await peer.sendsExternal()
  return {
    in: outcome.name === 'success' ? outcome.name : childText(outcome, 'text'),
    out: await deliver(gateway, identity),
  }
}

async function deliver(gateway: RunningGateway, identity: ReturnType<RunningGateway['identity']>) {
  const { domain } = identity
  const server = await gateway.serve(identity)
  gateway.zone.federate(domainToASCII(domain), { port: server.port })
  const inside = await gateway.inside.component(domain)
  inside.send(message(1, 'juliet@contoso.com', `romeo@${domain}`))
  const peer = await server.next()
  await peer.greetsSecurely(['external'])
  if ((await peer.coming())?.name !== 'auth') {
    await gateway.inside.stanza(domain, '1')
    return (await gateway.event('stream.refused', ({ direction }) => direction === 'out')).reason
  }
  await peer.takesExternal()
  await peer.next('message')
  return 'success'
}

/** In both directions alike. */
function alike(reason: string): Verdicts {
  return reason === 'success'
    ? { in: reason, out: reason }
    : { in: expect.stringContaining(reason), out: expect.stringContaining(reason) }
}

describe('a partner with trust of its own', () => {
  const own = createAuthority({ name: 'Own' })
  const names = allNames('fabrikam.com')
  const pinned = createSelfSigned({ names, eku: ['clientAuth'] }) // no path, no anchor, no purpose
  const late = createSelfSigned({ names, notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) })
  const foreign = createSelfSigned({ names: allNames('adatum.com') })

  type Row = readonly [
    trust: { readonly anchors?: readonly Issued[]; readonly pins?: readonly Issued[] },
    shown: Issued | ((common: Authority) => Issued),
    expected: string,
  ]

  test.each<[string, ...Row]>([
    ['its CA vouches for', { anchors: [own] }, own.issue({ names }), 'success'],
    ['one of its CAs vouches for', { anchors: [createAuthority(), own] }, own.issue({ names }), 'success'],
    [
      'the common CA vouches for, and its own does not',
      { anchors: [own] },
      common => common.issue({ names }),
      'not a trust anchor',
    ],
    ['it has pinned', { pins: [pinned] }, pinned, 'success'],
    [
      'the common CA vouches for, which it has not pinned',
      { pins: [pinned] },
      common => common.issue({ names }),
      'is not a pinned one',
    ],
    ['it has pinned, beside a CA', { anchors: [own], pins: [pinned] }, pinned, 'success'],
    ['its CA vouches for, beside a pin', { anchors: [own], pins: [pinned] }, own.issue({ names }), 'success'],
    ['it has pinned, and that has expired', { pins: [late] }, late, 'certificate of fabrikam.com expired on'],
    ['it has pinned, for another name', { pins: [foreign] }, foreign, 'for fabrikam.com is for adatum.com'],
  ])('who shows a certificate %s', async (_, { anchors = [], pins = [] }, shown, expected) => {
    const gateway = await startGateway({ inside: 'component' })
    writeFileSync(
      gateway.folder.at('config/own.crt'),
      anchors.map(({ certificatePem }) => certificatePem).join(''),
    )
    const entry = {
      primaryDomain: 'fabrikam.com',
      partnerType: 'federated',
      ...(anchors.length === 0 ? {} : { trustAnchors: ['own.crt'] }),
      pinnedCertificates: pins.map(fingerprintOf),
    }
    writeFileSync(gateway.folder.at('config/partners.yaml'), JSON.stringify({ partners: [entry] }))
    await gateway.gatehouse.reload(gateway.folder.load())
    const issued = typeof shown === 'function' ? shown(gateway.authority) : shown
    expect(await judge(gateway, 'fabrikam.com', issued)).toEqual(alike(expected))
  })

  test('gives no trust to another partner', async () => {
    const partners = ['fabrikam.com', 'adatum.com'].map(primaryDomain => ({
      primaryDomain,
      ...(primaryDomain === 'fabrikam.com' ? { pinnedCertificates: [fingerprintOf(foreign)] } : {}),
    }))
    const gateway = await startGateway({ inside: 'component', partners })
    expect(await judge(gateway, 'adatum.com', foreign)).toEqual(alike('is self-signed'))
  })
})

// As `openssl x509 -fingerprint -sha256` prints it.
function fingerprintOf({ certificate }: Issued): string {
  const digits = createHash('sha256').update(certificate).digest('hex').toUpperCase()
  return `sha256:${digits.match(/../g)?.join(':')}`
}

describe('a partner', () => {
  const idn = 'bücher.example' // in the stream header, as servers write it
  const ascii = 'xn--bcher-kva.example'

  test.each([
    ['below a wildcard', 'corp.fabrikam.com', { dns: ['*.fabrikam.com'] }, 'success'],
    [
      'two labels below a wildcard',
      'a.corp.fabrikam.com',
      { dns: ['*.fabrikam.com'] },
      'is for *.fabrikam.com',
    ],
    [
      'whose name a wildcard cuts',
      'corp.fabrikam.com',
      { dns: ['c*.fabrikam.com'] },
      'is for c*.fabrikam.com',
    ],
    ['with an IDN, by dNSName', idn, { dns: [ascii] }, 'success'],
    ['with an IDN, by SRVName', idn, { srv: [`_xmpp-server.${ascii}`] }, 'success'],
    ['with an IDN, by XmppAddr', idn, { xmpp: [idn] }, 'success'],
    ['with an IDN, by XmppAddr in A-labels', idn, { xmpp: [ascii] }, 'success'],
    [
      'with an IDN below a wildcard',
      `${idn.split('.')[0]}.fabrikam.com`,
      { dns: ['*.fabrikam.com'] },
      'success',
    ],
    [
      'with an IDN, by another one',
      idn,
      { xmpp: ['böcher.example'] },
      `presented for ${ascii} is for b?cher.example`,
    ],
  ])('%s: %s', async (_, domain, names, expected) => {
    const gateway = await startGateway({ inside: 'component', partners: [{ primaryDomain: domain }] })
    expect(await judge(gateway, domain, gateway.authority.issue({ names }))).toEqual(alike(expected))
  })
})
