import { Command, CommanderError } from 'commander'
import manifest from '../../package.json' with { type: 'json' }
import { isThere } from '../config/files.ts'
import { describeAdminCommands } from './admin-arguments.ts'
import { describeCertificateCommands } from './certificate-arguments.ts'
import { type CommandTree, treeOf } from './command-tree.ts'
import { describeCompletionCommands } from './completion-arguments.ts'
import type { ContactFilterOptions } from './contact.ts'
import { describeDnsCommand } from './dns-arguments.ts'
import type { CommandOptions, Host } from './host.ts'
import { tellError, toned } from './output.ts'
import { describePartnerCommands } from './partner-arguments.ts'

/** Where the configuration is looked for: in the working directory, then where a service of the system has it. */
const defaultConfigs = ['config/gatehouse.yaml', '/etc/gatehouse/gatehouse.yaml'] as const

type GlobalOptions = { readonly config?: string; readonly json?: boolean }

/**
 * Runs one command line, without the program's name.
 * @returns the exit status: 0 good, 1 found wrong or failed, 2 wrong usage
 */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  let status = 0
  const program = describeCommands(host, result => {
    status = result
  })
  try {
    await program.parseAsync(helpAsked(argv), { from: 'user' })
    return status
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    tellError(`gatehouse: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, host)
    return 1
  }
}

/** `help partner set` is `partner set --help`; commander looks at the first word alone. */
function helpAsked(argv: readonly string[]): readonly string[] {
  const [first, ...path] = argv
  return first === 'help' && path.length > 1 ? [...path, '--help'] : argv
}

/** The commands and their options, as they are described. */
export function programTree(): CommandTree {
  // Described alone, no command touches its host.
  return treeOf(describeCommands({} as Host, () => {}))
}

/** The configuration file: the one that is named, or the first that is there; undefined where none is. */
export function configFileOf(
  named: string | undefined,
  isFound: (file: string) => boolean = isThere,
): string | undefined {
  return named ?? defaultConfigs.find(isFound)
}

// Each command is loaded when it is called: the others' libraries would double the start.
function describeCommands(given: Host, finish: (status: number) => void): Command {
  // What machines read is never coloured, nor what is told beside it.
  const host: Host = {
    ...given,
    isColoured: stream => options().json !== true && given.isColoured?.(stream) === true,
  }
  const program = new Command('gatehouse')
    .description(manifest.description)
    .version(manifest.version)
    .option(
      '-c, --config <file>',
      `the configuration file (default: the first of ${defaultConfigs.join(', ')})`,
    )
    .option('--json', 'machine output')
    .exitOverride()
    .configureOutput({
      writeOut: host.out,
      writeErr: host.err,
      outputError: text => host.err(toned('error', text, 'err', host)),
    })
    .showHelpAfterError('(gatehouse --help tells what there is)')
  const options = (): GlobalOptions => program.opts<GlobalOptions>()
  const configFile = (): string => configFileOf(options().config) ?? defaultConfigs[0]
  const commandOptions = (): CommandOptions => ({ config: configFile(), json: options().json === true })

  program
    .command('run')
    .description('the daemon')
    .action(async () => {
      const { run } = await import('./run.ts')
      finish(await run(configFile(), host))
    })
  program
    .command('check')
    .description('configuration, partners, certificates, secrets, internal server: errors and warnings')
    .action(async () => {
      const { check } = await import('./check.ts')
      finish(await check(commandOptions(), host))
    })
  program
    .command('matrix')
    .description('the 18 combinations of negotiation settings, as configured here')
    .action(async () => {
      const { showMatrix } = await import('./matrix.ts')
      const config = configFileOf(options().config)
      finish(showMatrix({ config, json: options().json === true }, host))
    })
  program
    .command('reload')
    .description('the running daemon reads configuration, partner list and certificates anew')
    .action(async () => {
      const { reload } = await import('./reload.ts')
      finish(await reload(commandOptions(), host))
    })
  describePartnerCommands(
    program.command('partner').description('the partner list: read it, change it'),
    commandOptions,
    host,
    finish,
  )
  describeAdminCommands(program, commandOptions, host, finish)
  program
    .command('why')
    .description('why it fails with a partner: state, last attempts, what their failure means and what to do')
    .argument('<domain>')
    .option('--all', 'every attempt in the journal, step by step')
    .action(async (domain: string, { all }: { all?: boolean }) => {
      const { why } = await import('./why.ts')
      finish(await why(domain, { ...commandOptions(), all: all === true }, host))
    })
  program
    .command('probe')
    .description('a live attempt to authenticate with a partner, step by step')
    .argument('<domain>')
    .option('--from <local-domain>', 'as this local domain; default: the first')
    .action(async (domain: string, { from }: { from?: string }) => {
      const { probe } = await import('./probe.ts')
      finish(await probe(domain, { ...commandOptions(), from }, host))
    })
  const contact = program
    .command('contact')
    .description('authorised contacts, of the running daemon or in its file')
  contact
    .command('list')
    .description('who may reach whom, since when and why')
    .option('--local <jid|domain>', 'of this local user, or of all users of this domain')
    .option('--remote <jid|domain>', "with this partner's user, or with all users of this domain")
    .action(async (filter: ContactFilterOptions) => {
      const { listContacts } = await import('./contact.ts')
      finish(await listContacts(filter, commandOptions(), host))
    })
  contact
    .command('allow')
    .description("authorises a partner's user to reach a local user")
    .argument('<local-jid>')
    .argument('<partner-jid>')
    .option('--reason <text>', 'why, for whoever reads the list')
    .action(async (local: string, remote: string, { reason }: { reason?: string }) => {
      const { allowContact } = await import('./contact.ts')
      finish(await allowContact({ local, remote, reason }, commandOptions(), host))
    })
  contact
    .command('revoke')
    .description('ends that')
    .argument('<local-jid>')
    .argument('<partner-jid>')
    .action(async (local: string, remote: string) => {
      const { revokeContact } = await import('./contact.ts')
      finish(await revokeContact({ local, remote }, commandOptions(), host))
    })
  describeCertificateCommands(
    program.command('cert').description('certificates: ask for one, look at it, check it'),
    commandOptions,
    host,
    finish,
  )
  program
    .command('health')
    .description('asks the running daemon whether it is alive, and whether it is ready')
    .option('--wait <duration>', 'asks again and again for so long: 30s')
    .action(async ({ wait }: { wait?: string }) => {
      const { health } = await import('./health.ts')
      const isNamed = options().config !== undefined
      finish(await health({ wait, isNamed }, commandOptions(), host))
    })
  describeDnsCommand(program.command('dns'), commandOptions, host, finish)
  describeCompletionCommands(program, configFile, host)
  return program
}
