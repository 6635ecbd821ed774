import type { Argument, Command, Option } from 'commander'

/** A command and all below it, as completion and manual show them. */
export type CommandTree = {
  /** The names on the way to it, without the program's own. */
  readonly path: readonly string[]
  readonly description: string
  readonly arguments: readonly ArgumentShape[]
  /** Its own; those of the program are good in every command. */
  readonly options: readonly OptionShape[]
  readonly commands: readonly CommandTree[]
}

/** What stands behind a command or an option: its name in the help, and the words that are accepted, where they are few. */
export type ValueShape = { readonly name: string; readonly choices: readonly string[] }

/** A word behind a command. */
export type ArgumentShape = ValueShape & { readonly description: string; readonly isRequired: boolean }

/** An option; its flags bear their hyphens. */
export type OptionShape = {
  readonly flags: readonly string[]
  readonly value: ValueShape | undefined
  readonly description: string
  readonly defaultValue: string | undefined
  readonly isRequired: boolean
}

/** Reads the commands that are described; hidden ones stay so. */
export function treeOf(command: Command, path: readonly string[] = []): CommandTree {
  const help = command.createHelp()
  const isProgram = path.length === 0
  return {
    path,
    description: command.description(),
    arguments: command.registeredArguments.map(argumentShape),
    options: help
      .visibleOptions(command)
      .filter(({ long }) => isProgram || long !== '--help')
      .map(optionShape),
    commands: help
      .visibleCommands(command)
      .filter(({ parent }) => parent !== null) // commander's own "help" has none
      .map(one => treeOf(one, [...path, one.name()])),
  }
}

/** The command and all below it, each before its own. */
export function everyCommand(tree: CommandTree): CommandTree[] {
  return [tree, ...tree.commands.flatMap(everyCommand)]
}

function argumentShape(argument: Argument): ArgumentShape {
  const { description, required, argChoices = [] } = argument
  return { name: argument.name(), choices: argChoices, description, isRequired: required }
}

function optionShape(option: Option): OptionShape {
  const { short, long, flags, argChoices = [], description, defaultValue, mandatory } = option
  const name = /[<[](.+)[>\]]$/.exec(flags)?.[1]
  return {
    flags: [short, long].filter(flag => flag !== undefined),
    value: name === undefined ? undefined : { name, choices: argChoices },
    description,
    defaultValue:
      typeof defaultValue === 'string' || typeof defaultValue === 'number' ? `${defaultValue}` : undefined,
    isRequired: mandatory,
  }
}
