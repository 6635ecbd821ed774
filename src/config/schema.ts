import { z } from 'zod'
import { type PartnerList, partnerTypes } from '../policy/partner.ts'
import type { Domain } from '../xmpp/address.ts'
import {
  domainName,
  duration,
  fingerprint,
  flag,
  hostName,
  ipAddress,
  listenPort,
  listOf,
  nameServer,
  network,
  oneOf,
  path,
  proxyAddress,
  remark,
  remotePort,
  secret,
  section,
  text,
  whole,
} from './fields.ts'
import type { ConfigProblem } from './problems.ts'

const proxyProtocol = section({
  trusted: z
    .array(network, { error: 'expected a list of IP addresses and networks' })
    .min(1, { error: 'expected at least one address or network' })
    .max(256, { error: 'expected at most 256 addresses and networks' })
    .describe(
      'Balancers that begin each connection with a PROXY header, version 1 or 2. Nobody else may connect.',
    ),
})

export const listenerSchema = section({
  address: ipAddress.default('::').describe('Address to listen on; "::" means every address, IPv4 too.'),
  port: listenPort.describe('TCP port; 0 takes any that is free.'),
  directTls: flag.default(false).describe('TLS from the first byte (XEP-0368).'),
  proxyProtocol: proxyProtocol
    .optional()
    .describe('For an address that load balancers alone connect to; { trusted: [addresses and networks] }.'),
})

export const domainSchema = section({
  certificate: path.optional().describe("PEM file: this domain's certificate first, then its chain."),
  key: path.optional().describe('PEM file: the private key of the certificate, not encrypted.'),
  selfSigned: flag
    .optional()
    .describe(
      'true = make a certificate under ../certs/ at first start, for a first run; instead of certificate and key.',
    ),
})

const host = text('a host name or IP address')

export const componentSchema = section({
  connector: z.literal('component'),
  host: host.default('127.0.0.1').describe('Where the internal server listens for components (XEP-0114).'),
  port: remotePort.default(5347),
  secret: secret
    .optional()
    .describe('Common to all components; a partner may have a componentSecret of its own.'),
})

const internal = z
  .discriminatedUnion(
    'connector',
    [
      componentSchema,
      section({
        connector: z.literal('trunk'),
        host: host.default('127.0.0.1').describe('Where the internal server listens for s2s.'),
        port: remotePort.default(5269),
      }).describe('Not available in this version.'),
      section({ connector: z.literal('embedded') }),
    ],
    {
      error: ({ input }) =>
        `${input === undefined ? 'is required:' : 'expected'} a mapping with connector: component, trunk or embedded`,
    },
  )
  .describe('The internal server: component (XEP-0114), or embedded: none, it echoes.')

export const dialbackSchema = section({
  secret: secret.optional().describe('XEP-0185; absent = random at start. The same on all nodes of a pool.'),
  replyToInvalidKey: flag.default(true).describe("Answer an invalid key with type='invalid' (XEP-0220)."),
})

const dns = section({
  servers: z
    .array(nameServer, { error: 'expected a list of name servers' })
    .min(1, { error: 'expected at least one name server; leave the key out to use those of the system' })
    .max(16, { error: 'expected at most 16 name servers' })
    .optional()
    .describe("Name servers, asked in this order; absent = the system's."),
  timeout: duration.prefault('5s').describe('For one whole lookup.'),
})

const trust = section({
  system: flag.default(true).describe("Trust the system's certification authorities."),
  anchors: z
    .array(path, { error: 'expected a list of PEM files' })
    .default([])
    .describe('More of them, PEM files.'),
  requireClientAuthEku: flag
    .default(false)
    .describe("Ask partners' certificates for clientAuth too; public authorities no longer issue it."),
})

export const storeSchema = section({
  sqlite: path.default('../data/gatehouse.db').describe('Database of the authorised contacts.'),
  journal: path
    .optional()
    .describe('Database of the last attempts to have streams; absent = journal.db beside sqlite.'),
})

export const adminSchema = section({
  address: ipAddress.default('127.0.0.1').describe('Address of health, metrics, API and control panel.'),
  port: listenPort.default(5280),
  socket: path
    .default('../data/gatehouse.sock')
    .describe('Where the local commands speak to the daemon (mode 0600).'),
  tokens: path.default('../data/tokens.yaml').describe('Hashes of the API tokens.'),
  hosts: z
    .array(hostName, { error: 'expected a list of host names' })
    .max(64, { error: 'expected at most 64 host names' })
    .default([])
    .describe('More names that the API may be asked for by, beside localhost and the address itself.'),
  audit: path
    .default('../data/audit.log')
    .describe('Every change by command or API, one JSON object a line.'),
})

// Every one of these bounds what a peer can make the gateway keep or do.
const limits = section({
  // RFC 6120 §13.12: a limit below 10000 bytes is not allowed.
  stanzaBytes: whole(10_000, 16_777_216)
    .default(262_144)
    .describe('Longest stanza in bytes, told to peers (XEP-0478).'),
  depth: whole(8, 1024).default(64).describe('How deep elements may be nested.'),
  connections: whole(1, 1_000_000).default(10_000).describe('All streams with partners.'),
  partnerConnections: whole(1, 100_000)
    .default(100)
    .describe('Streams of one partner; its own connectionLimit wins.'),
  unauthenticatedPerAddress: whole(1, 100_000)
    .default(20)
    .describe('Streams of one address not yet authenticated.'),
  unauthenticatedBytes: whole(1024, 1_048_576)
    .default(8192)
    .describe('Longest element before authentication, in bytes.'),
  unauthenticatedElements: whole(4, 10_000).default(32).describe('Elements before authentication.'),
  // A client inside that accepts every request, as bots do, lets a partner add as many as he has addresses.
  contactsPerUser: whole(1, 1_000_000)
    .default(10_000)
    .describe('Contacts that are learned for one local user; more can be allowed by command.'),
  queueStanzas: whole(1, 1_000_000).default(1000).describe("Stanzas waiting for one partner's stream."),
  queueBytes: whole(10_000, 1_073_741_824).default(4_194_304).describe('Their bytes.'),
})

const timeouts = section({
  streamEstablishment: duration.prefault('30s').describe('From connect to authenticated.'),
  dialback: duration.prefault('15s').describe('For an answer to a dialback key, or to a ping.'),
  connect: duration.prefault('10s').describe('For a TCP connection to one target.'),
  queue: duration.prefault('60s').describe('A stanza waits no longer than this for a stream.'),
  inactivity: duration.prefault('30m').describe('An idle stream is closed.'),
  keepAlive: duration.prefault('60s').describe('Ping after this long idle, where the partner has keepAlive.'),
  shutdown: duration.prefault('10s').describe('For a stop in good order.'),
})

const log = section({
  level: oneOf('trace', 'debug', 'info', 'warn', 'error')
    .default('info')
    .describe('The least that is logged.'),
  messageBodies: flag.default(false).describe('Log message bodies; for lawful audit only.'),
  // A reader that stands still, as a log driver may, must not hold up the streams.
  bufferBytes: whole(10_000, 1_073_741_824)
    .default(1_048_576)
    .describe(
      'What waits for a slow reader of the log, or for space on its disk, in bytes; more is lost, and counted.',
    ),
})

/** The configuration file. */
export const configSchema = section({
  listen: z
    .array(listenerSchema, { error: 'expected a list of { address, port, directTls, proxyProtocol }' })
    .min(1, { error: 'expected at least one address to listen on' })
    .max(64, { error: 'expected at most 64 addresses' })
    .prefault([{ address: '::', port: 5269 }])
    .describe('Where partners connect.'),
  domains: z
    .record(z.string(), domainSchema, {
      error: ({ input }) =>
        `${input === undefined ? 'is required:' : 'expected'} a mapping from each local domain to its certificate and key`,
    })
    .describe('The local domains, at least one.'),
  internal,
  partners: path.default('partners.yaml').describe('The partner list.'),
  dialback: dialbackSchema.prefault({}),
  dns: dns.prefault({}),
  trust: trust.prefault({}),
  store: storeSchema.prefault({}),
  admin: adminSchema.prefault({}),
  limits: limits.prefault({}),
  timeouts: timeouts.prefault({}),
  log: log.prefault({}),
})

const requirement = oneOf('required', 'optional', 'notSupported')

export const partnerSchema = section({
  primaryDomain: domainName.describe('The domain that names the partner.'),
  description: remark.optional().describe('For people.'),
  additionalDomains: listOf(domainName, 'domains', 1000)
    .default([])
    .describe('More domains under the same policy, 1000 at most; a subdomain is not implied.'),
  partnerType: oneOf(...partnerTypes).describe('How far the partner is trusted with your users.'),
  tlsNegotiation: requirement.optional().describe('Left out: required.'),
  saslNegotiation: requirement.optional().describe('Left out: required for federated, else optional.'),
  dialbackNegotiation: flag.optional().describe('Left out: false for federated, else true.'),
  keepAlive: flag.default(false).describe('Ping idle streams.'),
  connectionLimit: whole(1, 100_000)
    .optional()
    .describe('Streams, both directions; left out: limits.partnerConnections.'),
  proxy: proxyAddress.optional().describe('HOST:PORT to connect to instead of asking DNS.'),
  trustAnchors: listOf(path, 'PEM files', 64)
    .default([])
    .describe('These certification authorities only, PEM files, 64 at most.'),
  pinnedCertificates: listOf(fingerprint, '"sha256:…"', 1000)
    .default([])
    .describe('Exactly these leaf certificates, 1000 at most.'),
  componentSecret: secret.optional().describe('Where the internal server wants one per component.'),
})

/** The partner file. */
export const partnerFileSchema = section({
  partners: z.array(partnerSchema, { error: 'expected a list of partners; [] for none' }).default([]),
})

type Sections = z.output<typeof configSchema>

/** A file that was read: its absolute path and what it held. */
export type PemFile = { readonly path: string; readonly pem: string }

/** A local domain with its certificate, or with the folder where its own is to be made. */
export type LocalDomain = {
  readonly domain: Domain
  /** Its key in the file, which may bear U-labels. */
  readonly writtenAs: string
} & (
  | { readonly certificate: PemFile; readonly key: PemFile }
  | { readonly certificate: undefined; readonly directory: string }
)

/** The way inside. */
export type InternalConfig =
  | {
      readonly connector: 'component'
      readonly host: string
      readonly port: number
      readonly secret: string | undefined
    }
  | { readonly connector: 'embedded' }

/** A whole configuration, checked and complete; every path in it is absolute, every secret read. */
export type Config = {
  readonly file: string
  readonly listen: readonly Readonly<z.output<typeof listenerSchema>>[]
  readonly domains: ReadonlyMap<Domain, LocalDomain>
  readonly internal: InternalConfig
  /** The partner file. */
  readonly partnersFile: string
  readonly partners: PartnerList
  readonly dialback: { readonly secret: string | undefined; readonly replyToInvalidKey: boolean }
  readonly dns: { readonly servers: readonly string[] | undefined; readonly timeoutMs: number }
  readonly trust: {
    readonly system: boolean
    readonly anchorsPem: readonly PemFile[]
    readonly requireClientAuthEku: boolean
  }
  readonly store: { readonly sqlite: string; readonly journal: string }
  readonly admin: Readonly<Sections['admin']>
  readonly limits: Readonly<Sections['limits']>
  readonly timeouts: { readonly [K in keyof Sections['timeouts'] as `${K}Ms`]: number }
  readonly log: Readonly<Sections['log']>
  readonly warnings: readonly ConfigProblem[]
}
