import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../../src/cli/run.ts'
import type { PartnerEntry } from '../support/gateway-process.ts'
import { InsideServer } from '../support/inside-server.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { WirePeer } from '../support/wire-peer.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import {
  accepted,
  answerTheEnd,
  bounceOf,
  flood,
  juliet,
  message,
  received,
  romeo,
  tally,
} from './numbered.ts'

const fabrikam = { primaryDomain: 'fabrikam.com' }
const northwind = { primaryDomain: 'northwind.example' }

type Renew = (gateway: RunningGateway, version: string, files: Readonly<Record<string, string>>) => void

/** The ways in which tools put new certificates in the place of old ones, whose names stay. */
const renewals: readonly [string, Renew][] = [
  [
    'written over the old one',
    (gateway, _, files) => {
      for (const [name, pem] of Object.entries(files)) writeFileSync(gateway.folder.at(`config/${name}`), pem)
    },
  ],
  [
    'renamed to the old one’s name',
    (gateway, version, files) => {
      for (const [name, pem] of Object.entries(files)) {
        const file = gateway.folder.at(`config/${name}`)
        writeFileSync(`${file}.${version}`, pem)
        renameSync(`${file}.${version}`, file)
      }
    },
  ],
  [
    'swapped by a symbolic link to its folder',
    (gateway, version, files) => {
      const folder = gateway.folder.at('config')
      mkdirSync(`${folder}/${version}`)
      symlinkSync(version, `${folder}/live.${version}`)
      for (const [name, pem] of Object.entries(files)) {
        writeFileSync(`${folder}/${version}/${name}`, pem)
        rmSync(`${folder}/${name}`)
        symlinkSync(`live/${name}`, `${folder}/${name}`)
      }
      renameSync(`${folder}/live.${version}`, `${folder}/live`)
    },
  ],
]

describe('a reload', () => {
  test('closes the streams of a partner who was removed, and no others', async () => {
    const { gateway, receiver, sender, inside } = await withTwoPartners()
    const other = await gateway.connect(gateway.identity('northwind.example'))
    await other.authenticates()
    answerTheEnd(inside)
    const reloaded = reload(gateway, [northwind])
    await Promise.all([receiver, sender].map(wire => wire.isClosedWith('policy-violation')))
    await reloaded
    await inside.closed()
    other.send(message(1, 'user@northwind.example', juliet))
    await gateway.inside.stanza('northwind.example', '1')
    expect(gateway.events('stream.closed')).toHaveLength(2)
    const refused = await gateway.connect()
    refused.sendHeader()
    await refused.isClosedWith('policy-violation')
  })

  test.each([
    [
      'forbids the method in use',
      { ...fabrikam, saslNegotiation: 'notSupported', dialbackNegotiation: true },
      true,
    ],
    [
      'permits the method in use',
      { ...fabrikam, saslNegotiation: 'optional', dialbackNegotiation: true },
      false,
    ],
  ] as const)('to a policy that %s', async (_, entry, closes) => {
    const { gateway, receiver, sender, inside } = await withTwoPartners()
    const reloaded = reload(gateway, [entry, northwind])
    if (closes) {
      await Promise.all([receiver, sender].map(wire => wire.isClosedWith('policy-violation')))
      return reloaded
    }
    await reloaded
    sender.send(message(1, romeo, juliet))
    await inside.next('message')
    inside.send(message(2, juliet, romeo))
    await receiver.next('message')
  })

  test('holds for a stream that is being negotiated: it goes, and another one is opened', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    const first = await server.next()
    await reload(gateway, [{ ...fabrikam, saslNegotiation: 'notSupported', dialbackNegotiation: true }])
    await first.greetsSecurely(['external', 'dialback'])
    await first.takesExternal()
    await first.isClosedWith('policy-violation')
    const second = await server.next()
    await second.greetsSecurely(['external', 'dialback'])
    await second.takesKey('valid')
    expect((await second.next('message')).attributes['id']).toBe('1')
  })

  test('gives back what waits for a partner who was removed, over his own component', async () => {
    const gateway = await startGateway({ inside: 'component', partners: [fabrikam, northwind] })
    const server = await gateway.serve()
    const inside = await gateway.inside.component('fabrikam.com')
    inside.send(message(1, juliet, romeo))
    await server.next()
    await reload(gateway, [northwind])
    expect(bounceOf(await inside.next('message'))).toMatchObject({ id: '1', condition: 'not-allowed' })
    await inside.streamEnd()
  })

  test('gives back what a partner who was removed had not read', async () => {
    const { gateway, inside, receiver, sender } = await withTwoPartners()
    answerTheEnd(sender)
    receiver.pause()
    const sent = await flood(inside, juliet, romeo)
    const reloaded = reload(gateway, [northwind])
    receiver.reset()
    await reloaded
    const [first = sent] = tally(inside).bounced
    await received(sent - first, () => [inside])
    expect(tally(inside).bounced).toEqual(Array.from({ length: sent - first }, (_, index) => first + index))
  })

  test('opens a component stream for a partner who is new, with a secret of his own, and lets him in', async () => {
    const { secret } = await InsideServer.start() // the same for all of them
    const gateway = await startGateway({
      inside: 'component',
      partners: [{ ...northwind, componentSecret: secret }],
      settings: { internal: { secret: 'is nobody’s' } },
    })
    await reload(gateway, [
      { ...northwind, componentSecret: secret },
      { ...fabrikam, componentSecret: secret },
    ])
    await gateway.inside.component('fabrikam.com')
    const sender = await gateway.connect()
    await sender.authenticates()
    sender.send(message(1, romeo, juliet))
    await gateway.inside.stanza('fabrikam.com', '1')
  })

  test('takes a corrected secret of the server inside, without a restart', async () => {
    const { secret } = await InsideServer.start() // the same for all of them
    const partners = [{ ...northwind, componentSecret: secret }]
    const settings = { internal: { secret: 'is wrong' } }
    const gateway = await startGateway({ inside: 'component', partners, settings })
    const file = 'config/gatehouse.yaml'
    writeFileSync(gateway.folder.at(file), read(gateway, file).replace('is wrong', secret))
    await reload(gateway, [...partners, fabrikam])
    await gateway.inside.component('fabrikam.com')
    const sender = await gateway.connect()
    await sender.authenticates()
    sender.send(message(1, romeo, juliet))
    await gateway.inside.stanza('fabrikam.com', '1')
    expect(gateway.log.lines.map(({ message }) => message)).not.toContain(
      'changed, but only a restart puts it into force',
    )
  })

  test('leaves the secret as it was where another server is to be connected to after a restart', async () => {
    const gateway = await startGateway({ inside: 'component' })
    const file = 'config/gatehouse.yaml'
    const { port, secret } = gateway.inside
    const changed = read(gateway, file).replace(String(port), '1').replace(secret, 'of another')
    expect(changed).toMatch(/of another/)
    writeFileSync(gateway.folder.at(file), changed)
    await reload(gateway, [fabrikam, northwind])
    await gateway.inside.component('northwind.example')
    const reached = () => gateway.gatehouse.readiness()
    await expect.poll(reached).toMatchObject({ ready: true, detail: expect.stringContaining('connected') })
  })

  test.each(renewals)(
    'shows a certificate that was %s in the next handshake, and leaves the streams that are up',
    async (_, renew) => {
      const gateway = await startGateway({ inside: 'component' })
      const before = await gateway.connect()
      await before.authenticates()
      for (const round of [1, 2]) {
        const renewed = gateway.authority.issueFor('contoso.com')
        renew(gateway, `v${round}`, { 'local.crt': renewed.chainPem, 'local.key': renewed.keyPem })
        await reload(gateway, [fabrikam])
        const after = await gateway.connect()
        await after.authenticates()
        const shown = after.tls.getPeerX509Certificate()
        expect(shown?.serialNumber).toBe(new X509Certificate(renewed.certificatePem).serialNumber)
      }
      before.send(message(1, romeo, juliet))
      await gateway.inside.stanza('fabrikam.com', '1')
    },
  )

  test('that fails on a file it cannot use changes nothing', async () => {
    const gateway = await startGateway({ inside: 'component' })
    writePartners(gateway, [northwind])
    const config = gateway.folder.load()
    const trust = {
      ...config.trust,
      anchorsPem: [
        { path: 'anchors.pem', pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      ],
    }
    await expect(gateway.gatehouse.reload({ ...config, trust })).rejects.toThrow('anchors.pem')
    const sender = await gateway.connect()
    await sender.authenticates()
    expect(gateway.events('reloaded')).toEqual([])
  })
})

describe('the daemon', () => {
  test('goes on as before when SIGHUP finds a bad file, takes a good one, and ends with 0 at SIGTERM', async () => {
    const inside = await InsideServer.start()
    const around = await startGateway() // for its folder and its CA
    const port = await closedPort()
    const file = around.folder.at('config/gatehouse.yaml')
    const write = (changes: object) => {
      const config = JSON.parse(read(around, 'config/gatehouse.yaml'))
      writeFileSync(file, JSON.stringify({ ...config, ...changes }))
    }
    write({
      listen: [{ address: '127.0.0.1', port }],
      internal: { connector: 'component', host: '127.0.0.1', port: inside.port, secret: inside.secret },
      log: { level: 'error' },
      // The first gateway has its own.
      store: { sqlite: around.folder.at('data/second.db') },
      admin: { port: 0, socket: around.folder.at('data/second.sock') },
    })
    const listeners = new Map<string, () => void>()
    const status = run(file, {
      env: {},
      out: () => undefined,
      err: () => undefined,
      onSignal: (signal, listener) => {
        listeners.set(signal, listener)
        return () => listeners.delete(signal)
      },
      stdout: new PassThrough().resume(),
      leave: () => undefined,
      figures: process,
      pid: process.pid,
      goOnAs: () => false,
    })
    onTestFinished(async () => {
      listeners.get('SIGTERM')?.()
      await status
    })
    const component = await inside.component('fabrikam.com')
    const partnersFile = around.folder.at('config/partners.yaml')
    const good = read(around, 'config/partners.yaml')
    writeFileSync(partnersFile, `${good} partners: twice`)
    listeners.get('SIGHUP')?.()
    const peer = await WirePeer.connect(port, around.identity())
    await peer.authenticates()
    peer.send(message(1, romeo, juliet))
    await component.next('message')
    writePartners(around, [fabrikam, northwind])
    listeners.get('SIGHUP')?.()
    await inside.component('northwind.example')
    for (const wire of [peer, component, await inside.component('northwind.example')]) answerTheEnd(wire)
    listeners.get('SIGTERM')?.()
    expect(await status).toBe(0)
    expect(listeners.size).toBe(0)
  })
})

/** A gateway with two partners, and streams with fabrikam.com both ways. */
async function withTwoPartners() {
  const gateway = await startGateway({ inside: 'component', partners: [fabrikam, northwind] })
  const server = await gateway.serve()
  const inside = await gateway.inside.component('fabrikam.com')
  inside.send(message('hello', juliet, romeo))
  const receiver = await accepted(server)
  await receiver.next('message')
  const sender = await gateway.connect()
  await sender.authenticates()
  return { gateway, inside, receiver, sender }
}

function writePartners(gateway: RunningGateway, partners: readonly PartnerEntry[]): void {
  const entries = partners.map(entry => ({ partnerType: 'federated', ...entry }))
  writeFileSync(gateway.folder.at('config/partners.yaml'), JSON.stringify({ partners: entries }))
}

async function reload(gateway: RunningGateway, partners: readonly PartnerEntry[]): Promise<void> {
  writePartners(gateway, partners)
  await gateway.gatehouse.reload(gateway.folder.load())
}

function read(gateway: RunningGateway, file: string): string {
  return readFileSync(gateway.folder.at(file), 'utf8')
}
