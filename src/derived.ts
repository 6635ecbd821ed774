import { getCACertificates } from 'node:tls'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/schema.ts'
import { type Certificate, parsePem } from './identity/certificate.ts'
import { TrustStore } from './identity/trust-store.ts'
import type { Log } from './telemetry/log.ts'
import { ownCredential } from './transport/credentials.ts'
import { Dialer } from './transport/dialer.ts'
import { Resolver } from './transport/resolver.ts'
import type { Credential } from './transport/tls.ts'
import type { Domain } from './xmpp/address.ts'

/** What follows from a configuration, and is exchanged with it as one. */
export type Derived = {
  readonly config: Config
  readonly trust: TrustStore
  readonly dialer: Dialer
  readonly mainDomain: Domain
}

/**
 * Works out what follows from a configuration.
 * @throws {Error} when a trust anchor is not a certificate; nothing has changed then
 */
export function derive(config: Config, log: Log): Derived {
  const anchors = [
    ...(config.trust.system ? systemAnchors(log) : []),
    ...config.trust.anchorsPem.flatMap(parseAnchors),
  ]
  const trust = new TrustStore(anchors, config.trust.requireClientAuthEku)
  for (const partner of config.partners.all) trust.for(partner)
  const resolver = new Resolver({ servers: config.dns.servers, timeoutMs: config.dns.timeoutMs })
  const [mainDomain] = config.domains.keys()
  if (mainDomain === undefined) throw new Error('no local domain is configured')
  return {
    config,
    trust,
    dialer: new Dialer({ resolver, connectTimeoutMs: config.timeouts.connectMs }),
    mainDomain,
  }
}

/**
 * The certificate and key of each local domain; self-signed ones are made where they are missing.
 * @throws {Error} when files cannot be read or written
 */
export async function credentialsOf(config: Config, log: Log): Promise<readonly Credential[]> {
  const credentials: Credential[] = []
  for (const local of config.domains.values()) {
    const { domain } = local
    if (local.certificate !== undefined) {
      const { path: certificateFile, pem: certificatePem } = local.certificate
      credentials.push({ domain, certificatePem, keyPem: local.key.pem, certificateFile })
      continue
    }
    const { isNew, ...own } = await ownCredential(domain, local.directory)
    if (isNew) {
      const fields = { domain, directory: local.directory }
      log.warn('self-signed certificate made; partners will accept it for dialback only', fields)
    }
    credentials.push(own)
  }
  return credentials
}

function systemAnchors(log: Log): Certificate[] {
  const pems = getCACertificates('system')
  if (pems.length === 0) log.warn('the system has no CA certificates (on Debian: package ca-certificates)')
  const anchors: Certificate[] = []
  for (const pem of pems) {
    try {
      anchors.push(...parsePem(pem))
    } catch (error) {
      log.warn('a CA certificate of the system was left out', { err: error })
    }
  }
  return anchors
}

function parseAnchors({ path, pem }: { path: string; pem: string }): Certificate[] {
  try {
    return parsePem(pem)
  } catch (error) {
    throw new Error(`${path} holds no usable certificate: ${error instanceof Error ? error.message : error}`)
  }
}

/** The sections of a new configuration that differ from what was started, and cannot change while it runs. */
export function needRestart(started: Config, next: Config): readonly string[] {
  const sections = ['listen', 'internal', 'admin', 'store', 'log'] as const
  // The secret is asked for anew at each connection.
  const fixed = ({ internal, ...config }: Config) => ({
    ...config,
    internal: { ...internal, secret: undefined },
  })
  const [before, after] = [fixed(started), fixed(next)]
  return sections.filter(section => !isDeepStrictEqual(before[section], after[section]))
}
