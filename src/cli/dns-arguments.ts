import { type Command, InvalidArgumentError } from 'commander'
import { isHostName } from '../transport/dns-answer.ts'
import type { Domain } from '../xmpp/address.ts'
import { parsePublishable } from './dns-scope.ts'
import type { CommandOptions, Host } from './host.ts'
import { domainArgument } from './shared-arguments.ts'

type DnsFlags = { readonly host?: Domain; readonly address: readonly string[] }

/** The command `dns`. */
export function describeDnsCommand(
  dns: Command,
  common: () => CommandOptions,
  host: Host,
  finish: (status: number) => void,
): void {
  dns
    .description(
      'the records that the local domains need, and whether they are there; or what a partner publishes',
    )
    .argument('[domain]', 'a local domain or any other; default: every local domain', domainArgument)
    .option(
      '--host <name>',
      "the gateway's public host name; default: the one that SRV names, or xmpp.DOMAIN",
      hostArgument,
    )
    .option('--address <ip>', 'a public address of it; may be repeated', addressArgument, [])
    .action(async (domain: Domain | undefined, flags: DnsFlags) => {
      const { showDns } = await import('./dns.ts')
      finish(await showDns({ ...common(), domain, host: flags.host, addresses: flags.address }, host))
    })
}

function hostArgument(text: string): Domain {
  const name = domainArgument(text)
  if (!isHostName(name)) throw new InvalidArgumentError('Expected a host name, not an address.')
  return name
}

function addressArgument(text: string, list: readonly string[]): readonly string[] {
  const address = parsePublishable(text)
  if (address === undefined)
    throw new InvalidArgumentError('Expected an IP address that other hosts can connect to.')
  return [...list, address]
}
