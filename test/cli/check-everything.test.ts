import { chmodSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ConfigProblem } from '../../src/config/problems.ts'
import { createAuthority, daysFromNow } from '../support/certificates.ts'
import { runCommand } from '../support/command-host.ts'
import { configFolder, leastConfig } from '../support/config-folder.ts'
import { freePorts } from '../support/server-process.ts'

const root = createAuthority({ name: 'Root', notAfter: daysFromNow(90) })
const oldRoot = createAuthority({ name: 'Old root', notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) })
const years = { notAfter: daysFromNow(60), eku: ['serverAuth', 'clientAuth'] } as const
const good = root.issueFor('contoso.com', years)
const old = root.issueFor('old.example', { ...years, notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) })
const other = root.issueFor('somebody.example', years)

/** A set-up with a fault of every kind, in every file; what follows "#!" in a line are the faults of that line. */
const files = {
  'config/gatehouse.yaml': `listen:
  - { address: "::1", port: 70000, speed: fast }         #! 23 listen[0].port, 36 listen[0].speed
domains:
  contoso.com:
    certificate: ../certs/missing.crt                     #! 5 domains.contoso.com.certificate
    key: ../certs/open.key                                #! 5 domains.contoso.com.key w
  other.example:
    certificate: ../certs/other.crt                       #! 5 domains.other.example.certificate w
    key: ../certs/open.key                                #! 5 domains.other.example.key w, 5 domains.other.example.key
  old.example:
    certificate: ../certs/old.crt                         #! 5 domains.old.example.certificate w
    key: ../certs/old.key
  "not a domain": { selfSigned: true }                    #! 3 domains.not a domain
  both.example: { selfSigned: true, key: ../certs/old.key } #! 19 domains.both.example.selfSigned
  CONTOSO.com: { selfSigned: maybe }                      #! 3 domains.CONTOSO.com, 18 domains.CONTOSO.com.selfSigned
internal:
  connector: component
  host: 127.0.0.1
  port: PORT                                              #! 3 internal.port w
  secret: { env: GATEHOUSE_NO_SUCH_SECRET }               #! 3 internal.secret
dialback:
  secret: { file: ../certs/short.secret }                 #! 3 dialback.secret w, 3 dialback.secret w
  replyToInvalidKey: perhaps                              #! 3 dialback.replyToInvalidKey
dns: { servers: [localhost], timeout: 5 }                 #! 18 dns.servers[0], 30 dns.timeout
trust:
  anchors: [../certs/root.pem, ../certs/nowhere.pem, 7, ../certs/old-root.pem] #! 32 trust.anchors[1], 54 trust.anchors[2], 57 trust.anchors[3] w
store: { sqlite: ../data/open.db, journel: x }            #! 10 store.sqlite w, 35 store.journel
admin:
  address: "0.0.0.0"                                      #! 3 admin.address w
  port: none                                              #! 3 admin.port
  socket: ../data/SOCKET                                  #! 3 admin.socket
  tokens: ../data/tokens.yaml                             #! 3 admin.tokens w
timeouts: { dialback: 1s }
timeouts: { queue: soon, connect: 0s }                    #! 1 timeouts, 13 timeouts.queue, 26 timeouts.connect
no-such-section: {}                                       #! 1 no-such-section
`,
  'config/partners.yaml': `partners:
  - primaryDomain: fabrikam.com
    partnerType: federated
    tlsNegotiation: notSupported                          #! 5 partners[0].tlsNegotiation
    additionalDomains: [it.fabrikam.com, "no domain", it.fabrikam.com] #! 42 partners[0].additionalDomains[1], 55 partners[0].additionalDomains[2]
    trustAnchors: [../certs/old-root.pem, ../certs/none.pem] #! 20 partners[0].trustAnchors[0] w, 43 partners[0].trustAnchors[1]
  - primaryDomain: Fabrikam.com                           #! 5 partners[1].primaryDomain
    partnerType: friends                                  #! 5 partners[1].partnerType
    colour: blue                                          #! 5 partners[1].colour
  - primaryDomain: contoso.com                            #! 5 partners[2].primaryDomain
    partnerType: federated
    tlsNegotiation: optional                              #! 5 partners[2].tlsNegotiation w
    proxy: "host:port:5"                                  #! 5 partners[2].proxy
    pinnedCertificates: ["sha1:AB"]                       #! 26 partners[2].pinnedCertificates[0]
    componentSecret: { env: GATEHOUSE_NO_SUCH_SECRET }    #! 5 partners[2].componentSecret
  - just words                                            #! 5 partners[3]
  - partnerType: publicVerified                           #! 5 partners[4].primaryDomain
    connectionLimit: 0                                    #! 5 partners[4].connectionLimit
`,
  'data/tokens.yaml': `tokens:
  - { name: monitoring, role: king }                      #! 25 tokens[0].role, 5 tokens[0].id, 5 tokens[0].created, 5 tokens[0].scrypt, 5 tokens[0].salt, 5 tokens[0].hash
`,
}

/** `FILE:LINE:COLUMN key severity` of each fault that a file tells of itself. */
function announced(): string[] {
  return Object.entries(files).flatMap(([name, text]) =>
    text.split('\n').flatMap((line, at) =>
      (/#! (.*)/.exec(line)?.[1]?.split(', ') ?? []).map(fault => {
        const [, column, key, warning] = /^(\d+) (.*?)( w)?$/.exec(fault) ?? []
        return `${name}:${at + 1}:${column} ${key} ${warning === undefined ? 'error' : 'warning'}`
      }),
    ),
  )
}

async function scene() {
  const [port] = await freePorts(1) // nobody listens there
  const config = files['config/gatehouse.yaml']
    .replace('PORT', String(port))
    .replace('SOCKET', 's'.repeat(120))
  const folder = configFolder({
    ...files,
    'config/gatehouse.yaml': config,
    'certs/open.key': good.keyPem,
    'certs/other.crt': other.chainPem,
    'certs/old.crt': old.chainPem,
    'certs/old.key': old.keyPem,
    'certs/root.pem': root.certificatePem,
    'certs/old-root.pem': oldRoot.certificatePem,
    'certs/short.secret': 'short',
    'data/open.db': '',
  })
  for (const name of ['certs/open.key', 'certs/short.secret', 'data/open.db', 'data/tokens.yaml'])
    chmodSync(folder.at(name), 0o644)
  return folder
}

test('check tells every fault of a bad set-up at once, each at its place', async () => {
  const folder = await scene()
  const { status, out, err } = await runCommand(['check', '--json', '--config', folder.file])
  expect({ status, err }).toEqual({ status: 1, err: '' })
  const problems: ConfigProblem[] = JSON.parse(out).problems
  const told = problems.map(({ file, line, column, key, severity }) => {
    const name = Object.keys(files).find(name => folder.at(name) === file)
    return `${name}:${line}:${column} ${key} ${severity}`
  })
  expect(told.toSorted()).toEqual(announced().toSorted())

  const asText = await runCommand(['check', '--config', folder.file])
  const lines = problems.map(({ file, line, column, key, message, severity }) => {
    const mark = severity === 'warning' ? 'warning: ' : ''
    return `${file}:${line}:${column}: ${key}: ${mark}${message}\n`
  })
  expect(asText.err).toBe(lines.join(''))
  const warnings = problems.filter(({ severity }) => severity === 'warning').length
  expect(asText.out).toBe(`${folder.file}: ${problems.length - warnings} errors, ${warnings} warnings\n`)
  expect(asText.status).toBe(1)
})

test('check tells what is wrong with the files that the daemon makes, and has no trouble with them itself', async () => {
  const long = 'x'.repeat(300)
  const { file, at } = configFolder({
    'config/gatehouse.yaml': `${leastConfig}store: { sqlite: ../${long} }
admin: { tokens: ../${long}, audit: ../data/audit.log, socket: ../data/socket }
`,
    'data/socket': 'a file',
    'data/audit.log': '{}',
  })
  chmodSync(at('data/audit.log'), 0o666)
  const { status, err } = await runCommand(['check', '--config', file])
  expect(status).toBe(1)
  expect(err).toMatch(/:4:10: store\.sqlite: .* cannot be written to: .*: the name is too long\n/)
  expect(err).toMatch(/:5:10: admin\.tokens: warning: .* cannot be written to: .*: the name is too long\n/)
  expect(err).toMatch(/:1:1: cannot read .*: the name is too long\n/)
  expect(err).toMatch(
    /admin\.audit: warning: .*audit\.log is open to every user of this machine \(mode 0666\)/,
  )
  expect(err).toMatch(/admin\.socket: the admin socket cannot be made: .*socket is there, and is no socket/)
})
