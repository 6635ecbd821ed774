import { readFileSync, writeFileSync } from 'node:fs'
import { type CommandResult, runCommand } from './command-host.ts'
import { type ConfigFolder, configFolder } from './config-folder.ts'

/** A partner list with two partners, one with another domain, one with an IDN. */
export const twoPartners = `partners:
  - primaryDomain: fabrikam.com   # the supplier
    additionalDomains: [corp.fabrikam.com]
    partnerType: federated
  # public
  - { primaryDomain: xn--mnchen-3ya.example, partnerType: publicUnverified, tlsNegotiation: optional }
`

/** A configuration folder with this partner list; `contoso.com` is the local domain. */
export function partnerFolder(
  partners: string = twoPartners,
  more: Readonly<Record<string, string>> = {},
): ConfigFolder {
  return configFolder({ 'config/partners.yaml': partners, ...more })
}

/** Runs `gatehouse partner …` on a folder. */
export function partnerCommand(folder: ConfigFolder, ...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['partner', ...argv, '--config', folder.file])
}

/** The text of a folder's partner list. */
export function partnersIn(folder: ConfigFolder): string {
  return readFileSync(folder.at('config/partners.yaml'), 'utf8')
}

/** What a new edit with SASL and without TLS is told (contract §2). */
export const saslRequiresTls = 'SASL requires TLS; set TLS to required or optional, or SASL to notSupported'

/** A partner as Lync has it after New-CsXmppAllowedPartner without options, but for its type. */
export const exported = (Identity: string, more: Readonly<Record<string, unknown>> = {}) => ({
  Identity,
  AdditionalDomains: [],
  PartnerType: 'Federated',
  TlsNegotiation: 'Required',
  SaslNegotiation: 'Required',
  SupportDialbackNegotiation: false,
  ProxyFqdn: null,
  EnableKeepAlive: true,
  ConnectionLimit: 0,
  Description: null,
  ...more,
})

/** Runs `gatehouse partner import` on a folder, with what stands in the export. */
export function importOf(
  folder: ConfigFolder,
  value: unknown,
  ...argv: readonly string[]
): Promise<CommandResult> {
  const file = folder.at('export.json')
  writeFileSync(file, Buffer.isBuffer(value) ? value : JSON.stringify(value, undefined, 4))
  return partnerCommand(folder, 'import', file, ...argv)
}
