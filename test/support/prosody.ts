import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Components,
  type FederationProfile,
  freePorts,
  type Peer,
  type PeerOptions,
  ServerProcess,
} from './server-process.ts'

/** Starts Debian's Prosody on loopback, and waits until all its ports listen. */
export async function startProsody(options: PeerOptions): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-prosody-'))
  const [c2sPort = 0, componentPort = 0, s2sPort = 0] = await freePorts(3)
  await writeAccounts(directory, options)
  const { federation, components } = options
  if (federation !== undefined) await writeCertificates(directory, federation)
  const text = [
    ...general(directory, c2sPort),
    ...(federation === undefined ? ['modules_disabled = { "s2s" }'] : federating(federation, s2sPort)),
    ...(components === undefined ? [] : [`component_ports = { ${componentPort} }`]),
    ...hosts(options).flatMap(domain => [
      `VirtualHost ${lua(domain)}`,
      ...(components === undefined ? [] : privileges(components)),
    ]),
    ...(components === undefined ? [] : externalComponents(components)),
  ]
  const file = join(directory, 'prosody.cfg.lua')
  await writeFile(file, `${text.join('\n')}\n`)
  const process = new ServerProcess(`prosody ${options.domain}`, 'prosody', ['-F', '--config', file], {
    cwd: directory,
  })
  const stop = async () => {
    await process.stop(2_000)
    await rm(directory, { recursive: true, force: true })
  }
  const services = ['c2s', ...(federation ? ['s2s'] : []), ...(components ? ['component'] : [])]
  try {
    for (const service of services) await process.first(service, activated(service), 30_000)
  } catch (error) {
    await stop()
    throw error
  }
  return { kind: 'prosody', domain: options.domain, c2sPort, componentPort, s2sPort, process, stop }
}

function activated(service: string) {
  return (line: string) => (line.includes(`Activated service '${service}' on [127.0.0.1]`) ? true : undefined)
}

function general(directory: string, c2sPort: number): string[] {
  return [
    'run_as_root = true', // continuous integration is root in a container
    'daemonize = false',
    `data_path = ${lua(directory)}`,
    `pidfile = ${lua(join(directory, 'prosody.pid'))}`,
    'log = { { levels = { min = "debug" }, to = "stdout" } }',
    'interfaces = { "127.0.0.1" }',
    'component_interfaces = { "127.0.0.1" }',
    `c2s_ports = { ${c2sPort} }`,
    'c2s_require_encryption = false',
    'allow_unencrypted_plain_auth = true',
    'authentication = "internal_plain"',
    'admin_socket = "/dev/null"',
    'modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "pep", "version" }',
  ]
}

function federating(profile: FederationProfile, s2sPort: number): string[] {
  return [
    `s2s_ports = { ${s2sPort} }`,
    `s2s_require_encryption = ${profile.tls === 'required'}`,
    `s2s_secure_auth = ${!profile.dialback}`,
    `modules_disabled = { ${[...(profile.tls === 'off' ? ['tls'] : []), ...(profile.dialback ? [] : ['dialback'])].map(lua).join(', ')} }`,
    'ssl = { certificate = "peer.crt", key = "peer.key", cafile = "authority.crt" }',
    // Needs lua-unbound: Prosody's own resolver asks port 53 only.
    `unbound = { resolvconf = false, hoststxt = false, forward = { "127.0.0.1@${profile.dnsPort}" },`,
    '  options = { ["do-not-query-localhost:"] = "no" } }',
  ]
}

function externalComponents({ domains, secret, privileged }: Components): string[] {
  return domains.flatMap(domain => [
    `Component ${lua(domain)}`,
    `  component_secret = ${lua(secret)}`,
    ...(privileged === undefined ? [] : ['  modules_enabled = { "privilege" }']),
  ])
}

function privileges({ privileged }: Components): string[] {
  if (privileged === undefined) return []
  const rights = '{ roster = "get"; presence = "managed_entity" }'
  return [
    '  modules_enabled = { "privilege" }', // of Debian's prosody-modules, which lie where Prosody's own do
    `  privileged_entities = { ${privileged.map(domain => `[${lua(domain)}] = ${rights};`).join(' ')} }`,
  ]
}

function hosts({ domain, moreDomains = [] }: PeerOptions): string[] {
  return [domain, ...moreDomains]
}

// The files of mod_storage_internal: names are escaped like in a URL, dots and hyphens too.
async function writeAccounts(directory: string, options: PeerOptions): Promise<void> {
  for (const domain of hosts(options)) {
    const host = domain.replace(/[^a-z0-9]/g, c => `%${c.charCodeAt(0).toString(16)}`)
    const accounts = join(directory, host, 'accounts')
    await mkdir(accounts, { recursive: true })
    for (const [user, password] of Object.entries(options.users)) {
      await writeFile(join(accounts, `${user}.dat`), `return { ["password"] = ${lua(password)}; };\n`)
    }
  }
}

async function writeCertificates(directory: string, profile: FederationProfile): Promise<void> {
  await writeFile(join(directory, 'peer.crt'), profile.certificatePem)
  await writeFile(join(directory, 'peer.key'), profile.keyPem, { mode: 0o600 })
  await writeFile(join(directory, 'authority.crt'), profile.authorityPem)
}

function lua(text: string): string {
  return JSON.stringify(text)
}
