import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type NegotiationSettings, rowFor } from '../src/policy/matrix.ts'
import { tag } from '../src/xml/writer.ts'
import { type Domain, parseDomain } from '../src/xmpp/address.ts'
import { createAuthority } from './authority.ts'
import { startGateway } from './gateway.ts'
import { InsideServer } from './inside-server.ts'
import { NameServer } from './name-server.ts'
import { Tap } from './tap.ts'
import { Transcript } from './transcript.ts'

const ours = domain('contoso.example')

/** Our entries for three partners: one for each method of authentication. */
const scenarios = [
  {
    title: '1. SASL EXTERNAL over TLS',
    partner: domain('fabrikam.example'),
    why: 'Each has a certificate of an authority that the other trusts: EXTERNAL, the strongest method, can be used.',
    settings: { tls: 'required', sasl: 'required', dialback: false },
  },
  {
    title: '2. Dialback over TLS',
    partner: domain('northwind.example'),
    why: 'The certificate of the partner is signed by itself: no EXTERNAL, but dialback under TLS is permitted.',
    settings: { tls: 'required', sasl: 'optional', dialback: true },
  },
  {
    title: '3. Dialback over TCP',
    partner: domain('woodgrove.example'),
    why: 'Our entry forbids TLS: STARTTLS is offered and not taken, and dialback in clear text is all that is left.',
    settings: { tls: 'notSupported', sasl: 'notSupported', dialback: true },
  },
] as const

/** The partners' entry for us: they take whatever we can do. */
const theirSettings = { tls: 'optional', sasl: 'optional', dialback: true } as const

const patienceMs = 9_000

setTimeout(() => {
  process.stderr.write(`demo: not done within ${patienceMs / 1000} s\n`)
  process.exit(1)
}, patienceMs).unref()
const transcript = new Transcript(line => process.stdout.write(`${line}\n`))
await using stack = new AsyncDisposableStack()
const inside = await startEverything()
tellPolicy('Each partner', ours, theirSettings)
for (const scenario of scenarios) await exchange(scenario)
transcript.end('All three messages came back')

async function startEverything(): Promise<InsideServer> {
  transcript.heading(`Two gateways: one for ${ours}, one for its three partners`)
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const nameServer = await NameServer.start()
  stack.defer(() => nameServer.close())
  const server = await InsideServer.start()
  stack.defer(() => server.close())

  const authority = createAuthority('Demo CA')
  const around = { nameServer: nameServer.address, authorityPem: authority.certificatePem }
  const [trusted, ...others] = scenarios.map(({ partner }) => partner)
  const partners = await startGateway(
    join(folder, 'partners'),
    {
      ...around,
      domains: {
        [trusted!]: authority.issue(trusted!),
        ...Object.fromEntries(others.map(other => [other, undefined])),
      },
      internal: { connector: 'embedded' },
      partners: [entry(ours, theirSettings)],
    },
    transcript.log('the gateway of the partners'),
  )
  stack.defer(() => partners.stop())
  const gateway = await startGateway(
    join(folder, 'ours'),
    {
      ...around,
      domains: { [ours]: authority.issue(ours) },
      internal: { connector: 'component', host: '127.0.0.1', port: server.port, secret: server.secret },
      partners: scenarios.map(({ partner, settings }) => entry(partner, settings)),
    },
    transcript.log(ours),
  )
  stack.defer(() => gateway.stop())

  let connections = 0
  for (const [name, { listening }] of [
    [ours, gateway],
    ...scenarios.map(({ partner }) => [partner, partners] as const),
  ] as const) {
    const tap = await Tap.start(
      name,
      listening[0]!,
      () => ++connections,
      (number, line) => transcript.wire(number, line),
    )
    stack.defer(() => tap.close())
    nameServer.publish(name, tap.port)
  }
  return server
}

async function exchange({ title, partner, why, settings }: (typeof scenarios)[number]): Promise<void> {
  transcript.heading(title)
  tellPolicy(ours, partner, settings)
  transcript.say(why)
  const from = `alice@${ours}`
  const to = `echo@${partner}`
  const id = `hello-${partner}`
  const body = `Hello, ${partner}!`
  transcript.say(`${from} writes to ${to}: ${body}`)
  const stanza = tag('message', { type: 'chat', from, to, id }, tag('body', {}, body))
  const echo = await inside.ask(partner, id, stanza)
  const said = echo.getChildText('body')
  if (echo.attrs['type'] === 'error' || said !== body) throw new Error(`no echo, but ${echo}`)
  transcript.say(`${echo.attrs['from']} answers ${echo.attrs['to']}: ${said}`)
}

function tellPolicy(owner: string, partner: string, settings: NegotiationSettings): void {
  const { tls, sasl, dialback } = settings
  const permitted = rowFor(settings).methods.join(', ')
  transcript.say(
    `${owner} on ${partner}: TLS ${tls}, SASL ${sasl}, dialback ${dialback}; this permits ${permitted}`,
  )
}

function entry(primaryDomain: string, { tls, sasl, dialback }: NegotiationSettings) {
  return {
    primaryDomain,
    partnerType: 'federated',
    tlsNegotiation: tls,
    saslNegotiation: sasl,
    dialbackNegotiation: dialback,
  }
}

function domain(name: string): Domain {
  const parsed = parseDomain(name)
  if (parsed === undefined) throw new Error(`${name} is no domain`)
  return parsed
}
