import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { type LocalIdentity, loadIdentities } from '../config/identities.ts'
import { ConfigError } from '../config/problems.ts'
import { certificationRequest } from '../identity/certification-request.ts'
import { toPem } from '../identity/issue.ts'
import type { Domain } from '../xmpp/address.ts'
import { type CredentialFiles, credentialFiles, existing, writeCredential } from './credential-files.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, formatProblems, formatTable, tellError, tellWarning } from './output.ts'
import { isHostName, planRequest, type RequestPlan, type Wishes } from './request-plan.ts'

export type RequestOptions = CommandOptions &
  Wishes & {
    /** The folder to write to. */
    readonly out: string
    /** Do not ask. */
    readonly yes: boolean
    readonly force: boolean
  }

/** `cert request`: a new key, and the request for its certificate, once the operator has seen what will be in it. */
export async function requestCertificate(options: RequestOptions, host: Host): Promise<number> {
  const { config, json, out, yes, force } = options
  const identities = localDomains(config, options.domain === undefined, host)
  if (identities === undefined) return 1
  const locals = identities.map(({ domain }) => domain)
  const planned = planRequest(options, locals)
  if ('faults' in planned) {
    for (const fault of planned.faults) tellError(`error: ${fault}`, host)
    return 2
  }
  const { plan } = planned
  const files = credentialFiles(plan.domain, out, 'csr')
  const taken = existing(files)
  if (taken.length > 0 && !force) {
    tellError(`gatehouse: there already, and not overwritten without --force: ${taken.join(', ')}`, host)
    return 1
  }
  const notes = notesOn(plan, locals, taken)
  const say = json ? host.err : host.out // what machines read, stays alone
  say(summarize(plan, files, notes))
  const inUse = identities.filter(({ keyFile }) => keyFile === files.key && taken.includes(files.key))
  for (const { domain } of inUse)
    tellWarning(
      `warning: ${files.key} is the key that ${config} names for ${domain}. Once it is overwritten, the certificate ` +
        'there is does not fit it any more, and the gateway will not start or reload until the new one is in place; ' +
        'give another folder by --out instead',
      host,
    )
  if (!yes) {
    if (host.ask === undefined) {
      tellError('error: there is no terminal to confirm this on; --yes confirms it', host)
      return 2
    }
    if (!/^y(es)?$/i.test((await host.ask('Make the key and the request? [y/N] ')).trim())) {
      tellError('gatehouse: nothing was made', host)
      return 1
    }
  }
  const { publicKey, privateKey } = await newKeyPair(plan)
  const { subject, names, friendlyName } = plan
  const der = certificationRequest({ subject, names, friendlyName, publicKey, privateKey })
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  try {
    await writeCredential(files, { key: keyPem, other: toPem(der, 'CERTIFICATE REQUEST') }, force)
  } catch (error) {
    tellError(`gatehouse: cannot write: ${error instanceof Error ? error.message : error}`, host)
    return 1
  }
  if (json) host.out(formatJson({ key: files.key, request: files.other, ...plan, notes }))
  else
    host.out(
      `\n${files.key}\n${files.other}\n` +
        'Send the .csr file to the authority, never the .key file. What comes back goes under domains: in the configuration,\n' +
        'the certificate first, then its chain; gatehouse cert check tells whether all is well.\n',
    )
  return 0
}

/** Of a configuration that cannot be read there are none, which matters where no domain was named. */
function localDomains(config: string, isNeeded: boolean, host: Host): readonly LocalIdentity[] | undefined {
  try {
    return loadIdentities(config).domains
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    host.err(
      formatProblems(
        error.problems.map(one => ({ ...one, severity: isNeeded ? 'error' : 'warning' })),
        host,
      ),
    )
    return isNeeded ? undefined : []
  }
}

function newKeyPair({
  keyType,
  keyLength,
}: RequestPlan): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return keyType === 'rsa'
    ? promisify(generateKeyPair)('rsa', { modulusLength: keyLength })
    : promisify(generateKeyPair)('ec', { namedCurve: `P-${keyLength}` })
}

function notesOn(
  { domain, names }: RequestPlan,
  locals: readonly Domain[],
  taken: readonly string[],
): string[] {
  const notes = [
    'Public authorities certify dNSNames alone, and for servers alone; they leave the rest out. That is enough to be known by.',
  ]
  if (names.xmpp.length > 0)
    notes.push(
      'ejabberd 23.01 drops the stream over an XmppAddr in a certificate whose chain it trusts (docs/peers.md): ' +
        'with such partners, leave it out by --no-xmpp-addr.',
    )
  for (const local of locals.filter(one => !isHostName(one)))
    notes.push(`${local} is left out: it is no host name, and no authority certifies it.`)
  if (!locals.includes(domain)) notes.push(`${domain} is not a local domain of the configuration.`)
  if (taken.length > 0) notes.push(`Will be overwritten, and the old key lost: ${taken.join(', ')}`)
  return notes
}

function summarize(plan: RequestPlan, files: CredentialFiles, notes: readonly string[]): string {
  const { domain, keyType, keyLength, subject, names, friendlyName } = plan
  const row = (label: string, value: string | undefined): string[][] =>
    value === undefined ? [] : [[label, value]]
  return [
    `Request for a certificate of ${domain}\n`,
    formatTable([
      ...row('friendly name', friendlyName),
      ['key', `${keyType.toUpperCase()} ${keyType === 'ec' ? 'P-' : ''}${keyLength}`],
      ...row('common name', subject.commonName),
      ...row('organization', subject.organization),
      ...row('unit', subject.unit),
      ...row('city', subject.city),
      ...row('state', subject.state),
      ...row('country', subject.country),
      ...names.dns.map(name => ['dNSName', name]),
      ...names.srv.map(name => ['SRVName', name]),
      ...names.xmpp.map(name => ['XmppAddr', name]),
      ['purposes', 'serverAuth, clientAuth'],
      ['key file', `${files.key} (mode 0600)`],
      ['request file', files.other],
    ]),
    notes.map(note => `- ${note}\n`).join(''),
    '',
  ].join('\n')
}
