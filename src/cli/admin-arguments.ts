import { type Command, InvalidArgumentError, Option } from 'commander'
import { isTokenName, type Role, roles } from '../config/tokens.ts'
import type { Domain } from '../xmpp/address.ts'
import type { CommandOptions, Host } from './host.ts'
import { isSessionId } from './session-id.ts'
import { domainArgument } from './shared-arguments.ts'

/** Describes the commands below `session`, and below `admin`. */
export function describeAdminCommands(
  program: Command,
  options: () => CommandOptions,
  host: Host,
  finish: (status: number) => void,
): void {
  const session = program.command('session').description('the streams of the running daemon')
  session
    .command('list')
    .description('the streams with partners that there are now')
    .argument('[domain]', 'those of this domain, yours or a partner’s', domainArgument)
    .action(async (domain: Domain | undefined) => {
      finish(await (await import('./session.ts')).listSessions(domain, options(), host))
    })
  session
    .command('close')
    .description('closes streams in good order; a stanza that has to go opens another')
    .argument('<id|domain>', 'one stream, or all those of a domain', sessionArgument)
    .action(async (what: string) => {
      finish(await (await import('./session.ts')).closeSessions(what, options(), host))
    })
  const token = program
    .command('admin')
    .description('access to the API')
    .command('token')
    .description('tokens of the API on the admin port')
  token
    .command('add', { isDefault: true })
    .description('makes a token, and shows it this once')
    .addOption(new Option('--role <role>', 'what it is good for').choices(roles).makeOptionMandatory())
    .option('--name <name>', 'whom it is for; default: the role and the token’s id', nameArgument)
    .action(async ({ role, name }: { role: Role; name?: string }) => {
      finish(await (await import('./admin-token.ts')).addToken({ role, name }, options(), host))
    })
  token
    .command('list')
    .description('who has a token, and what for')
    .action(async () => finish(await (await import('./admin-token.ts')).listTokens(options(), host)))
  token
    .command('revoke')
    .description('ends it; the running daemon refuses it from the next request on')
    .argument('<name>')
    .action(async (name: string) => {
      finish(await (await import('./admin-token.ts')).revokeToken(name, options(), host))
    })
}

/** An id stands for itself. */
function sessionArgument(text: string): string {
  return isSessionId(text) ? text : domainArgument(text)
}

function nameArgument(text: string): string {
  if (isTokenName(text)) return text
  throw new InvalidArgumentError('Letters, digits, dots, hyphens and underscores, 64 characters at most.')
}
