import { expect, onTestFinished } from 'vitest'
import type { AttemptsJson, ProbeLine } from '../../src/admin/journal.ts'
import type { WhyJson } from '../../src/admin/why.ts'
import { openRunningApi } from '../../src/cli/gateway-api.ts'
import { tag } from '../../src/xml/writer.ts'
import { ns } from '../../src/xmpp/namespaces.ts'
import { closedPort } from '../transport/dialer-fixture.ts'
import { daysFromNow } from './certificates.ts'
import { runCommand } from './command-host.ts'
import type { PartnerEntry } from './gateway-process.ts'
import type { ReceivingPeer } from './policy-outcome.ts'
import { serve } from './profiled-peer.ts'
import type { RunningGateway } from './running-gateway.ts'
import { listen } from './wire.ts'
import { type KeyVerdict, WirePeer } from './wire-peer.ts'

/** A partner that we cannot talk to: how it is set up, and what operators must be told. */
export type BrokenPartner = {
  readonly code: string
  readonly policy: Omit<PartnerEntry, 'primaryDomain'>
  readonly setUp: (gateway: RunningGateway, domain: string) => Promise<unknown>
}

const certificates = { tlsNegotiation: 'required', saslNegotiation: 'required', dialbackNegotiation: false }
const dialback = { tlsNegotiation: 'required', saslNegotiation: 'notSupported', dialbackNegotiation: true }
const either = { tlsNegotiation: 'required', saslNegotiation: 'optional', dialbackNegotiation: true }
const clear = { tlsNegotiation: 'notSupported', saslNegotiation: 'notSupported', dialbackNegotiation: true }

const good: ReceivingPeer = { tls: 'offered', certificate: 'valid', external: 'accepted', dialback: false }
const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }

const serves =
  (peer: Partial<ReceivingPeer>, certificate: Parameters<RunningGateway['identity']>[1] = {}) =>
  (gateway: RunningGateway, domain: string) =>
    serve(gateway, gateway.identity(domain, certificate), { ...good, ...peer })

const judgesKey = (answer: KeyVerdict) => async (gateway: RunningGateway, domain: string) => {
  const port = await listen(socket => {
    const wire = new WirePeer(socket, gateway.identity(domain))
    const work = async () => {
      await wire.greetsSecurely(['dialback'])
      await wire.takesKey(answer)
      await wire.streamEnd()
      wire.end('</stream:stream>')
    }
    work().catch(() => socket.destroy())
  })
  gateway.zone.federate(domain, { port })
}

/** One of each kind, by the name of its domain. */
export const brokenPartners: Readonly<Record<string, BrokenPartner>> = {
  'no-dns.example': { code: 'dns-no-service', policy: certificates, setUp: async () => {} },
  'dns-down.example': {
    code: 'dns-failed',
    policy: certificates,
    setUp: async ({ zone }, domain) => zone.set(`_xmpp-server._tcp.${domain} SRV`, 'SERVFAIL'),
  },
  'no-address.example': {
    code: 'dns-no-address',
    policy: certificates,
    setUp: async ({ zone }, domain) =>
      zone.set(`_xmpp-server._tcp.${domain} SRV`, [{ port: 5269, target: 'gone.example' }]),
  },
  'proxy-mistyped.example': {
    code: 'proxy-no-address',
    policy: { ...certificates, proxy: 'mistyped.example:5269' },
    setUp: async () => {},
  },
  'port-closed.example': {
    code: 'connect-refused',
    policy: certificates,
    setUp: async ({ zone }, domain) => zone.federate(domain, { port: await closedPort() }),
  },
  'tls-off.example': {
    code: 'tls-not-offered',
    policy: certificates,
    setUp: serves({ tls: 'none', external: 'notOffered', dialback: true }),
  },
  'not-hosted.example': {
    code: 'peer-host-unknown',
    policy: certificates,
    setUp: async (gateway, domain) => {
      const port = await listen(socket => {
        const wire = new WirePeer(socket, gateway.identity(domain))
        // As servers before XMPP 1.0 do, and some newer ones that do not know the domain.
        const header = `<stream:stream xmlns='${ns.server}' xmlns:stream='${ns.stream}' id='old'>`
        const error = tag('stream:error', {}, tag('host-unknown', { xmlns: ns.streams }))
        wire.header().then(
          () => wire.end(`${header}${error}</stream:stream>`),
          () => socket.destroy(),
        )
      })
      gateway.zone.federate(domain, { port })
    },
  },
  'tls-only.example': {
    code: 'tls-required-by-peer',
    policy: clear,
    setUp: serves({ tls: 'required', dialback: true }),
  },
  'expired.example': { code: 'certificate-expired', policy: certificates, setUp: serves({}, expired) },
  'wrong-name.example': {
    code: 'certificate-wrong-name',
    policy: certificates,
    setUp: serves({}, { names: { dns: ['elsewhere.example'] } }),
  },
  'external-refused.example': {
    code: 'external-refused',
    policy: certificates,
    setUp: serves({ external: 'refused' }),
  },
  'dialback-only.example': {
    code: 'external-not-offered',
    policy: certificates,
    setUp: serves({ external: 'notOffered', dialback: true }),
  },
  'external-only.example': { code: 'dialback-not-offered', policy: dialback, setUp: serves({}) },
  'offers-nothing.example': {
    code: 'no-permitted-method',
    policy: either,
    setUp: serves({ external: 'notOffered' }),
  },
  'key-invalid.example': { code: 'dialback-invalid-key', policy: dialback, setUp: judgesKey('invalid') },
  'key-refused.example': {
    code: 'dialback-refused',
    policy: dialback,
    setUp: judgesKey({ error: 'policy-violation' }),
  },
  'cannot-reach-us.example': {
    code: 'dialback-cannot-reach-us',
    policy: dialback,
    setUp: judgesKey({ error: 'remote-server-not-found' }),
  },
}

/** What `why` says, in JSON; its exit status says the same. */
export async function whyOf(gateway: RunningGateway, domain: string): Promise<WhyJson> {
  const { status, out, err } = await runCommand(['why', domain, '--json', '--config', gateway.folder.file])
  if (out === '') throw new Error(`why: ${status} ${err}`)
  const told = JSON.parse(out) as WhyJson
  const isWrong = told.partner === null || told.isFailing || told.journal?.isReadable === false
  if (status !== Number(isWrong)) throw new Error(`why: exit status ${status}, but ${out}`)
  return told
}

/** The whole journal, the newest first. */
export async function attemptsOf({ folder }: RunningGateway): Promise<AttemptsJson['attempts']> {
  const api = (await openRunningApi(folder.file)) ?? expect.fail('the gateway does not run')
  onTestFinished(() => api.close())
  const { value } = await api.ask({ method: 'GET', url: '/attempts' })
  return (value as AttemptsJson).attempts
}

/** What `probe` says, line by line. */
export async function probeOf(
  gateway: RunningGateway,
  domain: string,
): Promise<{ status: number; lines: ProbeLine[]; err: string }> {
  const { status, out, err } = await runCommand(['probe', domain, '--json', '--config', gateway.folder.file])
  const lines = out.split('\n').filter(line => line !== '')
  return { status, lines: lines.map(line => JSON.parse(line) as ProbeLine), err }
}
