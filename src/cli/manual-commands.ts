import { type CommandTree, everyCommand, type OptionShape } from './command-tree.ts'
import { bold, italic, item, pageHead, pageSection, roff } from './roff.ts'

/** gatehouse(1): every command with its options. */
export function commandsPage(program: CommandTree, version: string): string {
  const commands = everyCommand(program).filter(({ commands }) => commands.length === 0)
  return [
    pageHead('GATEHOUSE', 1, version),
    pageSection('NAME', `gatehouse \\- ${roff(lowerFirst(program.description))}`),
    pageSection(
      'SYNOPSIS',
      `${bold('gatehouse')} [${italic('options')}] ${italic('command')} [${italic('options')}]`,
    ),
    pageSection(
      'DESCRIPTION',
      roff(
        'Gatehouse stands at the edge of a network, authenticates every partner domain that talks to it by XMPP,',
      ),
      roff('and relays stanzas between those partners and the XMPP server inside.'),
      `${bold('gatehouse run')} ${roff('is the daemon; the other commands look after it.')}`,
    ),
    pageSection('OPTIONS', 'They are good in every command.', ...program.options.map(optionItem)),
    pageSection('COMMANDS', ...commands.flatMap(command)),
    pageSection(
      'EXIT STATUS',
      item(bold('0'), roff('Good.')),
      item(
        bold('1'),
        roff('Something was found wrong, or failed.'),
        roff('Of why: something has failed and not worked since, or the domain is no partner’s,'),
        roff('or the journal cannot be read.'),
      ),
      item(bold('2'), roff('Wrong usage.')),
    ),
    pageSection(
      'ENVIRONMENT',
      item(
        bold('NO_COLOR'),
        roff(
          'If set, nothing is coloured. Else errors are red and warnings yellow, where a terminal shows them.',
        ),
      ),
      item(bold('FORCE_COLOR'), roff('If set to 1, they are so without a terminal; --json never is.')),
    ),
    pageSection(
      'FILES',
      item(
        `${italic('config/gatehouse.yaml')}, ${italic('/etc/gatehouse/gatehouse.yaml')}`,
        roff('The configuration, where --config names no other: the first of these that is there.'),
      ),
      item(italic('config/partners.yaml'), roff('The partner list, where the configuration names no other.')),
    ),
    pageSection(
      'SIGNALS',
      item(bold('SIGHUP'), roff('The daemon reads configuration, partner list and certificates anew.')),
      item(`${bold('SIGTERM')}, ${bold('SIGINT')}`, roff('It stops in good order.')),
    ),
    pageSection(
      'EXAMPLES',
      '.nf',
      ...[
        'gatehouse check',
        'gatehouse partner add fabrikam.com --type federated --description "Supplier"',
        'gatehouse cert request contoso.com --out certs',
        'gatehouse dns fabrikam.com',
      ].map(roff),
      '.fi',
    ),
    pageSection('SEE ALSO', `${bold('gatehouse.yaml')}(5); the folder docs of the package.`),
  ].join('')
}

function command({ path, description, options, arguments: words }: CommandTree): string[] {
  const behind = words.map(({ name, isRequired }) => (isRequired ? italic(name) : `[${italic(name)}]`))
  const needed = options.filter(({ isRequired }) => isRequired).map(flagsOf)
  const rest = options.some(({ isRequired }) => !isRequired) ? [`[${italic('options')}]`] : []
  const explained = words.filter(({ description }) => description !== '')
  return [
    `.SS ${[roff(path.join(' ')), ...behind, ...needed, ...rest].join(' ')}`,
    roff(upperFirst(description)),
    ...explained.map(({ name, description, choices }) =>
      item(italic(name), roff(described(description, choices))),
    ),
    ...options.map(optionItem),
  ]
}

function optionItem(option: OptionShape): string {
  const { description, value, defaultValue } = option
  const preset = defaultValue === undefined ? '' : ` (default: ${defaultValue})`
  return item(flagsOf(option), roff(described(`${description}${preset}`, value?.choices ?? [])))
}

function flagsOf({ flags, value }: OptionShape): string {
  const names = flags.map(bold).join(', ')
  return value === undefined ? names : `${names} ${italic(value.name)}`
}

function described(description: string, choices: readonly string[]): string {
  const text = upperFirst(description)
  return choices.length === 0 ? text : `${text.slice(0, -1)}: ${choices.join(', ')}.`
}

// A name, such as sip.DOMAIN, stays as it is written.
function upperFirst(text: string): string {
  return `${text.replace(/^[a-z](?=[a-z]*(?:[ ,;]|$))/, first => first.toUpperCase())}.`
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`
}
