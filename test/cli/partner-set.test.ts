import { describe, expect, test } from 'vitest'
import { createAuthority } from '../support/certificates.ts'
import {
  partnerCommand,
  partnerFolder,
  partnersIn,
  saslRequiresTls,
  twoPartners,
} from '../support/partner-command.ts'

describe('partner set', () => {
  test('changes what is named, and nothing else', async () => {
    const folder = partnerFolder()
    expect((await partnerCommand(folder, 'set', 'münchen.example', '--tls', 'required')).status).toBe(0)
    expect(partnersIn(folder)).toBe(twoPartners.replace('optional', 'required'))
    const argv = ['--clear', 'tls', '--additional', 'a.b', '--clear', 'proxy,pin']
    expect((await partnerCommand(folder, 'set', 'xn--mnchen-3ya.example', ...argv)).status).toBe(0)
    expect(partnersIn(folder)).toBe(
      twoPartners.replace('tlsNegotiation: optional', 'additionalDomains: [a.b]'),
    )
  })

  const clear = `partners:
  - { primaryDomain: a.b, partnerType: publicVerified, tlsNegotiation: notSupported }
  - { primaryDomain: c.d, partnerType: publicVerified }
`

  test('lets a loaded SASL without TLS stand, but no new one', async () => {
    const folder = partnerFolder(clear)
    const other = await partnerCommand(folder, 'set', 'c.d', '--description', 'x')
    expect(other).toMatchObject({ status: 0, err: '' })
    const same = await partnerCommand(folder, 'set', 'a.b', '--description', 'x')
    expect(same).toMatchObject({
      status: 0,
      err: expect.stringMatching(/^a\.b: warning: .*SASL requires TLS: with/),
    })
    for (const argv of [
      ['--sasl', 'required'],
      ['--sasl', 'optional'],
      ['--type', 'publicUnverified'],
      ['--clear', 'dialback'],
    ]) {
      const refused = await partnerCommand(folder, 'set', 'a.b', ...argv)
      expect(refused).toEqual({ status: 1, out: '', err: `gatehouse: a.b: ${saslRequiresTls}\n` })
    }
    expect((await partnerCommand(folder, 'set', 'a.b', '--sasl', 'notSupported')).status).toBe(0)
  })

  const lists = `partners:
  - primaryDomain: a.b
    partnerType: federated
    additionalDomains: [one.example, two.example]   # of theirs
    pinnedCertificates:
      - sha256:${'AB'.repeat(32)}   # until spring
`

  test('tells what a new list leaves out of the old one', async () => {
    const folder = partnerFolder(lists)
    const { out } = await partnerCommand(folder, 'set', 'a.b', '--additional', 'three.example,Two.Example')
    expect(out.split('\n')[2]).toBe('additional domains: added three.example; removed one.example')
    const json = await partnerCommand(folder, 'set', 'a.b', '--additional', 'one.example', '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      change: 'changed',
      lists: { additionalDomains: { added: ['one.example'], removed: ['two.example', 'three.example'] } },
    })
  })

  test('adds to a list and takes out of it, and leaves the rest', async () => {
    const folder = partnerFolder(lists, { 'ca.pem': createAuthority().certificatePem })
    const pin = `sha256:${'cd'.repeat(32)}`
    const argv = ['--add-additional', 'Three.Example, two.example', '--remove-additional', 'ONE.example']
    const more = ['--add-pin', pin, '--add-trust-anchor', folder.at('ca.pem')]
    const { status, out } = await partnerCommand(folder, 'set', 'a.b', ...argv, ...more)
    expect([status, out.split('\n').slice(2, 5)]).toEqual([
      0,
      [
        'additional domains: added three.example; removed one.example',
        `trust anchors: added ${folder.at('ca.pem')}`,
        `pinned certificates: added ${pin}`,
      ],
    ])
    expect(partnersIn(folder)).toContain('additionalDomains: [two.example, three.example]   # of theirs\n')
    expect(partnersIn(folder)).toContain(`${'AB'.repeat(32)}   # until spring\n      - ${pin}\n`)
    const old = ['--remove-pin', `sha256:${'ab'.repeat(32)}`, '--remove-trust-anchor', folder.at('ca.pem')]
    expect((await partnerCommand(folder, 'set', 'a.b', ...old)).status).toBe(0)
    expect(partnersIn(folder)).not.toMatch(/until spring|ca\.pem/)
  })

  test('takes nothing out that is not there', async () => {
    const folder = partnerFolder(lists)
    const argv = ['--remove-additional', 'three.example', '--keep-alive']
    expect(await partnerCommand(folder, 'set', 'a.b', ...argv)).toEqual({
      status: 1,
      out: '',
      err: 'gatehouse: a.b: additionalDomains: three.example is not among them\n',
    })
    expect(partnersIn(folder)).toBe(lists)
  })

  test.each([
    ['--additional', 'x.y', '--add-additional', 'z.y'],
    ['--remove-pin', `sha256:${'ab'.repeat(32)}`, '--clear', 'pin'],
    ['--add-trust-anchor', 'x', '--trust-anchor', 'y'],
  ])('takes either a whole list or changes of it: %j', async (...argv) => {
    const folder = partnerFolder(lists)
    expect(await partnerCommand(folder, 'set', 'a.b', ...argv)).toMatchObject({ status: 2, out: '' })
    expect(partnersIn(folder)).toBe(lists)
  })

  test.each([
    ['--clear', 'proxy'],
    ['--type', 'federated'],
    ['--additional', 'two.example,one.example'],
    ['--add-additional', 'one.example'],
  ])('says where nothing changes: %s %s', async (...argv) => {
    const folder = partnerFolder(lists)
    expect(await partnerCommand(folder, 'set', 'a.b', ...argv)).toEqual({
      status: 0,
      out: `a.b: unchanged in ${folder.at('config/partners.yaml')}\n`,
      err: '',
    })
    const { out } = await partnerCommand(folder, 'set', 'a.b', ...argv, '--json')
    expect(JSON.parse(out)).toMatchObject({ change: 'unchanged', lists: {}, reload: null })
    expect(partnersIn(folder)).toBe(lists)
  })

  test('refuses what a preset does not go with', async () => {
    const folder = partnerFolder()
    const { status, err } = await partnerCommand(folder, 'set', 'fabrikam.com', '--sasl', 'notSupported')
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(
        /^gatehouse: fabrikam\.com: saslNegotiation: .*SASL or dialback must be enabled/,
      ),
    })
    expect(partnersIn(folder)).toBe(twoPartners)
  })

  test.each([
    ['xn--mnchen-3ya.example', 'as a partner of its own'],
    ['MÜNCHEN.example', 'as a partner of its own'],
    ['corp.fabrikam.com', 'as an additional domain of fabrikam.com'],
  ])('refuses a domain that is another’s, of the partner that was to have it: %s', async (domain, whose) => {
    // The partner to be changed stands before and behind the other.
    const first = '  - { primaryDomain: a.example, partnerType: federated }\n'
    const folder = partnerFolder(
      `partners:\n${first}${twoPartners.slice('partners:\n'.length)}${first.replace('a.', 'b.')}`,
    )
    for (const name of ['a.example', 'b.example']) {
      const { status, err } = await partnerCommand(folder, 'set', name, '--additional', domain)
      const as = domain.startsWith('corp') ? domain : 'xn--mnchen-3ya.example'
      expect({ status, err }).toEqual({
        status: 1,
        err: `gatehouse: ${name}: additionalDomains: ${as} is in the list already, ${whose}\n`,
      })
    }
    const twice = await partnerCommand(folder, 'set', 'a.example', '--additional', 'x.y,X.Y')
    expect(twice.err).toBe('gatehouse: a.example: additionalDomains: x.y is given twice\n')
  })

  test.each([
    ['corp.fabrikam.com', 'is an additional domain of the partner fabrikam.com; name that one'],
    ['nobody.example', 'is not in the partner list'],
  ])('and remove know partners by their primary domain: %s', async (domain, message) => {
    const folder = partnerFolder()
    for (const argv of [
      ['set', domain, '--keep-alive'],
      ['remove', domain],
    ]) {
      expect(await partnerCommand(folder, ...argv)).toEqual({
        status: 1,
        out: '',
        err: `gatehouse: ${domain}: ${message}\n`,
      })
    }
    expect(partnersIn(folder)).toBe(twoPartners)
  })
})

describe('partner remove', () => {
  test('takes the partner out', async () => {
    const folder = partnerFolder()
    const { status, out } = await partnerCommand(folder, 'remove', 'fabrikam.com')
    expect({ status, out }).toEqual({
      status: 0,
      out: `fabrikam.com: removed in ${folder.at('config/partners.yaml')}\nthe gateway is not running\n`,
    })
    expect(partnersIn(folder)).toBe(twoPartners.replace(/ {2}- primaryDomain(.|\n)*federated\n/, ''))
  })
})

describe('two commands at once', () => {
  test('lose no edit', async () => {
    const folder = partnerFolder()
    const names = Array.from({ length: 12 }, (_, at) => `p${at}.example`)
    const results = await Promise.all(
      names.map(name => partnerCommand(folder, 'add', name, '--type', 'federated')),
    )
    expect(results.map(({ status }) => status)).toEqual(names.map(() => 0))
    expect(
      folder
        .load()
        .partners.all.map(({ primaryDomain }) => primaryDomain)
        .toSorted(),
    ).toEqual([...names, 'fabrikam.com', 'xn--mnchen-3ya.example'].toSorted())
  })
})
