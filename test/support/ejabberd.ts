import { globSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Components,
  type FederationProfile,
  freePorts,
  type Peer,
  type PeerOptions,
  ServerProcess,
} from './server-process.ts'

/** Starts Debian's ejabberd on loopback, and waits until it is up and its users are registered. */
export async function startEjabberd(options: PeerOptions): Promise<Peer> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-ejabberd-'))
  const [c2sPort = 0, componentPort = 0, s2sPort = 0] = await freePorts(3)
  const { federation, components } = options
  const listeners = [listener(c2sPort, 'ejabberd_c2s')]
  if (federation !== undefined) listeners.push(listener(s2sPort, 'ejabberd_s2s_in'))
  if (components !== undefined) {
    const hosts = components.domains.map(domain => [domain, { password: components.secret }])
    listeners.push({
      ...listener(componentPort, 'ejabberd_service'),
      hosts: Object.fromEntries(hosts),
      // Each stream carries its own domain alone, or the loss of one would take the privileges of all.
      ...(components.privileged === undefined ? {} : { global_routes: false }),
    })
  }
  const configuration = {
    hosts: hosts(options),
    loglevel: 'debug',
    hide_sensitive_log_data: false,
    auth_method: 'internal',
    auth_password_format: 'plain',
    listen: listeners,
    ...(components?.privileged === undefined ? {} : privilegedComponents(components.privileged)),
    ...(federation === undefined ? { s2s_access: 'none' } : federating(federation)),
    modules: {
      mod_disco: {},
      mod_ping: {},
      mod_roster: {},
      mod_version: {},
      mod_caps: {},
      mod_pubsub: { plugins: ['flat', 'pep'] },
      ...(components?.privileged === undefined ? {} : { mod_privilege: privilege }),
      ...(federation?.dialback ? { mod_s2s_dialback: {} } : {}),
    },
  }
  // JSON is YAML.
  await writeFile(join(directory, 'ejabberd.yml'), JSON.stringify(configuration, null, 2))
  if (federation !== undefined) await writeFederationFiles(directory, federation)
  const process = new ServerProcess(`ejabberd ${options.domain}`, 'erl', arguments_(directory, options), {
    cwd: directory,
    env: environment(directory),
  })
  const stop = async () => {
    await process.stop(0) // nothing in it outlives the test, and an orderly stop takes seconds
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await process.first('users', line => (line.includes(registered) ? true : undefined), 60_000)
  } catch (error) {
    await stop()
    throw error
  }
  return { kind: 'ejabberd', domain: options.domain, c2sPort, componentPort, s2sPort, process, stop }
}

const registered = 'gatehouse test users registered'

function hosts({ domain, moreDomains = [] }: PeerOptions): string[] {
  return [domain, ...moreDomains]
}

function listener(port: number, module: string): Record<string, unknown> {
  return { port, ip: '127.0.0.1', module }
}

function federating(profile: FederationProfile): Record<string, unknown> {
  return {
    s2s_use_starttls: profile.tls === 'off' ? false : profile.tls,
    s2s_cafile: 'authority.crt',
    ca_file: 'authority.crt',
    certfiles: ['peer.pem'],
    outgoing_s2s_families: ['ipv4'],
  }
}

function privilegedComponents(domains: Components['privileged']): Record<string, unknown> {
  return {
    acl: { privileged: { server: domains } },
    access_rules: { privileged: [{ allow: 'privileged' }] },
  }
}

const privilege = { roster: { get: 'privileged' }, presence: { managed_entity: 'privileged' } }

async function writeFederationFiles(directory: string, profile: FederationProfile): Promise<void> {
  await writeFile(join(directory, 'peer.pem'), profile.certificatePem + profile.keyPem, { mode: 0o600 })
  await writeFile(join(directory, 'authority.crt'), profile.authorityPem)
  await writeFile(
    join(directory, 'inetrc'),
    [
      '{resolv_conf, ""}.', // before the name server: it clears the list
      '{hosts_file, ""}.',
      '{lookup, [dns]}.',
      `{nameserver, {127,0,0,1}, ${profile.dnsPort}}.`,
    ].join('\n'),
  )
}

// Not by ejabberdctl: it changes to the user `ejabberd`, and its node needs epmd. A node without a name has no
// distribution, so any number of them run side by side.
function arguments_(directory: string, options: PeerOptions): string[] {
  const registrations = hosts(options).flatMap(domain =>
    Object.entries(options.users).map(
      ([user, password]) =>
        `ok = ejabberd_auth:try_register(<<"${user}">>, <<"${domain}">>, <<"${password}">>)`,
    ),
  )
  const quiet = ['+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'] // idle schedulers spin otherwise
  return [
    ...quiet,
    ...['-noinput', '-mnesia', 'dir', JSON.stringify(join(directory, 'mnesia')), '-s', 'ejabberd'],
    ...['-eval', `${[...registrations, `io:format("${registered}~n")`].join(', ')}.`],
  ]
}

function environment(directory: string): NodeJS.ProcessEnv {
  const [library] = globSync('/usr/lib/*/ejabberd-*')
  return {
    PATH: process.env['PATH'],
    HOME: directory,
    ERL_LIBS: library === undefined ? '' : dirname(library),
    ERL_INETRC: join(directory, 'inetrc'),
    ERL_CRASH_DUMP: join(directory, 'erl_crash.dump'),
    EJABBERD_CONFIG_PATH: join(directory, 'ejabberd.yml'),
    EJABBERD_LOG_PATH: join(directory, 'ejabberd.log'),
  }
}
