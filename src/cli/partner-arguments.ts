import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ListChanges, type ListKey, listKeys } from '../config/list-changes.ts'
import type { PartnerKey, WrittenPartner } from '../config/partner-list.ts'
import { partnerTypes } from '../policy/partner.ts'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import type { CommandOptions, Host } from './host.ts'
import { domainArgument, wholeNumber } from './shared-arguments.ts'

const requirements = ['required', 'optional', 'notSupported'] as const

type ClearableName = Exclude<keyof typeof keyOf, 'type'>

/** The key of the partner list that each option gives. */
const keyOf = {
  type: 'partnerType',
  description: 'description',
  additional: 'additionalDomains',
  tls: 'tlsNegotiation',
  sasl: 'saslNegotiation',
  dialback: 'dialbackNegotiation',
  'keep-alive': 'keepAlive',
  'connection-limit': 'connectionLimit',
  proxy: 'proxy',
  'trust-anchor': 'trustAnchors',
  pin: 'pinnedCertificates',
  'component-secret': 'componentSecret',
} as const satisfies Readonly<Record<string, PartnerKey>>

const clearable = Object.keys(keyOf).filter(name => name !== 'type')

type Settings = {
  readonly type?: string
  readonly description?: string
  readonly additional?: string[] | undefined
  readonly tls?: string
  readonly sasl?: string
  readonly dialback?: string
  readonly keepAlive?: true
  readonly connectionLimit?: number
  readonly proxy?: string
  readonly trustAnchor?: string[] | undefined
  readonly pin?: string[] | undefined
  readonly componentSecret?: { env: string } | { file: string }
}

type ListSettings = {
  readonly addAdditional?: string[]
  readonly removeAdditional?: string[]
  readonly addTrustAnchor?: string[]
  readonly removeTrustAnchor?: string[]
  readonly addPin?: string[]
  readonly removePin?: string[]
}

/** The commands below `partner`. */
export function describePartnerCommands(
  partner: Command,
  options: () => CommandOptions,
  host: Host,
  finish: (status: number) => void,
): void {
  partner
    .command('list')
    .description('the partners, a line for each')
    .action(async () => finish(await (await import('./partner.ts')).listPartners(options(), host)))
  partner
    .command('show')
    .description('everything about the partner that a domain belongs to')
    .argument('<domain>', 'the partner', domainArgument)
    .action(async (domain: Domain) => {
      finish(await (await import('./partner.ts')).showPartner(domain, options(), host))
    })
  const add = partner
    .command('add')
    .description('a new partner')
    .argument('<domain>', 'the partner', domainArgument)
  addSettings(add, true).action(async (domain: Domain, settings: Settings) => {
    const values = await written(settings, options())
    finish(await (await import('./partner.ts')).addPartner(domain, values, options(), host))
  })
  const set = partner
    .command('set')
    .description('single settings of a partner; what is not named stays')
    .argument('<domain>', 'the partner', domainArgument)
  addListChanges(addSettings(set, false))
    .addOption(
      new Option('--clear <setting>', 'takes a setting out; repeated, or with commas')
        .choices(clearable)
        .argParser(collectNames),
    )
    .action(
      async (
        domain: Domain,
        { clear = [], ...settings }: Settings & ListSettings & { clear?: ClearableName[] },
      ) => {
        const given = Object.keys(settings).map(name =>
          name.replace(/[A-Z]/g, one => `-${one.toLowerCase()}`),
        )
        if (given.length + clear.length === 0) set.error('error: nothing to change is given')
        for (const name of clear) {
          const other = [name, `add-${name}`, `remove-${name}`].find(one => given.includes(one))
          if (other !== undefined) set.error(`error: --${other} and --clear ${name} exclude each other`)
        }
        const values = {
          set: await written(settings, options()),
          clear: clear.map(name => keyOf[name]),
          lists: await listChanges(settings, options()),
        }
        finish(await (await import('./partner.ts')).setPartner(domain, values, options(), host))
      },
    )
  partner
    .command('remove')
    .description('a partner, with all its domains')
    .argument('<domain>', 'the partner', domainArgument)
    .action(async (domain: Domain) => {
      finish(await (await import('./partner.ts')).dropPartner(domain, options(), host))
    })
  partner
    .command('import')
    .description('partners from Get-CsXmppAllowedPartner | ConvertTo-Json')
    .argument('<file>', 'the export; - for standard input')
    .option('--dry-run', 'tell what would be done, and write nothing')
    .option('--skip-invalid', 'leave out what cannot be taken over, instead of taking over nothing')
    .action(async (file: string, { dryRun = false, skipInvalid = false }) => {
      const { importPartners } = await import('./partner-import.ts')
      finish(await importPartners(file, { dryRun, skipInvalid, ...options() }, host))
    })
}

function addSettings(command: Command, isNew: boolean): Command {
  // What is given to one that is there takes the place of what stands there.
  const list = (text: string): string => (isNew ? text : `the whole new list: ${text}`)
  return command
    .addOption(
      new Option('--type <type>', 'how far the partner is trusted with your users')
        .choices(partnerTypes)
        .makeOptionMandatory(isNew),
    )
    .addOption(new Option('--tls <use>', 'TLS').choices(requirements))
    .addOption(new Option('--sasl <use>', 'SASL EXTERNAL').choices(requirements))
    .addOption(new Option('--dialback <use>', 'dialback').choices(['true', 'false']))
    .option('--additional <domain>', list('more domains; repeated, or with commas'), collectWords)
    .option('--description <text>', 'for people')
    .option('--keep-alive', 'ping idle streams')
    .option('--connection-limit <number>', 'streams, both directions', wholeNumber)
    .option('--proxy <host[:port]>', 'connect here instead of asking DNS')
    .option(
      '--trust-anchor <file>',
      list('these certification authorities only, PEM; may be repeated'),
      collect,
    )
    .option(
      '--pin <sha256:…>',
      list('exactly these leaf certificates; repeated, or with commas'),
      collectWords,
    )
    .option(
      '--component-secret <env:NAME|file:PATH>',
      'where its component has a secret of its own',
      secretPlace,
    )
}

/** Options that leave the rest of a list as it is. */
function addListChanges(command: Command): Command {
  const kinds = [
    ['additional', '<domain>', 'domains', collectWords],
    ['trust-anchor', '<file>', 'certification authorities', collect],
    ['pin', '<sha256:…>', 'leaf certificates', collectWords],
  ] as const
  for (const [name, value, what, parse] of kinds) {
    const attribute = name === 'trust-anchor' ? 'trustAnchor' : name
    const offered = [
      new Option(`--add-${name} ${value}`, `these ${what} besides those there are; given as to --${name}`),
      new Option(`--remove-${name} ${value}`, `not these ${what} any more; given as to --${name}`),
    ]
    for (const option of offered) command.addOption(option.argParser(parse).conflicts(attribute))
  }
  return command
}

async function listChanges(settings: ListSettings, options: CommandOptions): Promise<ListChanges> {
  const { addAdditional, addTrustAnchor, addPin, removeAdditional, removeTrustAnchor, removePin } = settings
  const strings = (values: WrittenPartner, key: ListKey) => (values[key] ?? []) as readonly string[]
  const lists = (additional?: string[], trustAnchor?: string[], pin?: string[]) =>
    written({ additional, trustAnchor, pin }, options)
  const add = await lists(addAdditional, addTrustAnchor, addPin)
  const remove = await lists(removeAdditional, removeTrustAnchor, removePin)
  return Object.fromEntries(
    listKeys
      .filter(key => key in add || key in remove)
      .map(key => [key, { add: strings(add, key), remove: strings(remove, key) }]),
  )
}

/** Settings as the list has them: domains as A-labels, file names from the list's own folder. */
async function written(settings: Settings, { config }: CommandOptions): Promise<WrittenPartner> {
  const { type, description, additional, tls, sasl, dialback, keepAlive, connectionLimit, proxy, pin } =
    settings
  const { trustAnchor, componentSecret } = settings
  const folder = (trustAnchor ?? componentSecret) ? await listFolder(config) : ''
  const fromList = (file: string): string => (isAbsolute(file) ? file : relative(folder, resolve(file)))
  const values: WrittenPartner = {
    partnerType: type,
    description,
    additionalDomains: additional?.map(name => parseDomain(name) ?? name),
    tlsNegotiation: tls,
    saslNegotiation: sasl,
    dialbackNegotiation: dialback === undefined ? undefined : dialback === 'true',
    keepAlive,
    connectionLimit,
    proxy,
    trustAnchors: trustAnchor?.map(fromList),
    pinnedCertificates: pin,
    componentSecret:
      componentSecret !== undefined && 'file' in componentSecret
        ? { file: fromList(componentSecret.file) }
        : componentSecret,
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

async function listFolder(config: string): Promise<string> {
  const { openPartnerFile } = await import('../config/partner-file.ts')
  return dirname(resolve(openPartnerFile(config).file))
}

function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}

function collectWords(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, ...value.split(',').map(word => word.trim())]
}

function collectNames(value: string, earlier: readonly string[] = []): string[] {
  const names = collectWords(value)
  const strange = names.find(name => !clearable.includes(name))
  if (strange === undefined) return [...earlier, ...names]
  throw new InvalidArgumentError(`Allowed are ${clearable.join(', ')}.`)
}

/** The secret itself has no place on a command line: every user of the machine could read it. */
function secretPlace(text: string): { env: string } | { file: string } {
  const [, kind, place] = /^(env|file):(.+)$/s.exec(text) ?? []
  if (place === undefined) throw new InvalidArgumentError('env:NAME or file:PATH is needed.')
  return kind === 'env' ? { env: place } : { file: place }
}
