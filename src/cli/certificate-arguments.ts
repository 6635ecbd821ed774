import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Domain } from '../xmpp/address.ts'
import type { RequestOptions } from './cert-request.ts'
import type { SelfSignedOptions } from './cert-self-signed.ts'
import type { CommandOptions, Host } from './host.ts'
import { domainArgument, wholeNumber } from './shared-arguments.ts'

type RequestFlags = Omit<RequestOptions, 'config' | 'json' | 'domain'>
type SelfSignedFlags = Pick<SelfSignedOptions, 'out' | 'days' | 'force'>

/** The commands below `cert`. */
export function describeCertificateCommands(
  cert: Command,
  common: () => CommandOptions,
  host: Host,
  finish: (status: number) => void,
): void {
  cert
    .command('request')
    .description('a new key, and the request for its certificate, with the names of every local domain')
    .argument('[domain]', 'whom it is for; default: the first local domain', domainArgument)
    .option('--out <folder>', 'where DOMAIN.key and DOMAIN.csr are written', '.')
    .option('--friendly-name <text>', 'what you call it; goes into the request')
    .addOption(new Option('--key-type <type>', 'kind of key').choices(['ec', 'rsa']).default('ec'))
    .option(
      '--key-length <bits>',
      'of ec 256 or 384, of rsa 2048, 3072 or 4096; default: the least',
      wholeNumber,
    )
    .option('--organization <text>', 'the legal name')
    .option('--unit <text>', 'the part of the organization')
    .option('--country <letters>', 'two letters, such as DE')
    .option('--state <text>', 'state or province')
    .option('--city <text>', 'city')
    .option(
      '--san <name>',
      'one more dNSName; may be repeated',
      (name, list: string[]) => [...list, name],
      [],
    )
    .option('--sip-domain', 'sip.DOMAIN too, for each domain', false)
    .option('--no-xmpp-addr', 'without names of the form XmppAddr')
    .option('--yes', 'do not ask for confirmation', false)
    .option('--force', 'overwrite existing files', false)
    .action(async (domain: Domain | undefined, flags: RequestFlags) => {
      const { requestCertificate } = await import('./cert-request.ts')
      finish(await requestCertificate({ ...emptyWishes, ...flags, ...common(), domain }, host))
    })
  cert
    .command('show')
    .description('what certificates say, and what they lack')
    .argument('[file-or-domain]', 'a file or a local domain; default: every local domain')
    .action(async (what: string | undefined) => {
      const { showCertificates } = await import('./cert-show.ts')
      finish(showCertificates({ ...common(), what }, host))
    })
  cert
    .command('self-signed')
    .description('a test certificate, signed by its own key')
    .argument('<domain>', 'whom it is for', domainArgument)
    .option('--out <folder>', 'where DOMAIN.key and DOMAIN.crt are written', '.')
    .option('--days <number>', 'how long it is good for, 1 to 3650', certificateDays, 365)
    .option('--force', 'overwrite existing files', false)
    .action(async (domain: Domain, flags: SelfSignedFlags) => {
      const { makeSelfSigned } = await import('./cert-self-signed.ts')
      finish(await makeSelfSigned({ ...flags, json: common().json, domain }, host))
    })
  cert
    .command('check')
    .description('whether the certificates of the local domains prove them to partners')
    .argument('[domain]', 'one local domain; default: every one', domainArgument)
    .action(async (domain: Domain | undefined) => {
      const { checkCertificates } = await import('./cert-check.ts')
      finish(checkCertificates({ ...common(), domain }, host))
    })
}

// Options that were not given are no keys at all with commander.
const emptyWishes = {
  keyLength: undefined,
  friendlyName: undefined,
  organization: undefined,
  unit: undefined,
  country: undefined,
  state: undefined,
  city: undefined,
}

function certificateDays(text: string): number {
  const days = wholeNumber(text)
  if (days < 1 || days > 3650) throw new InvalidArgumentError('Expected 1 to 3650 days.')
  return days
}
