import { type CommandTree, everyCommand, type ValueShape } from './command-tree.ts'

/** What a word may be completed with: fixed words, and things that the shell has to look for. */
export type Candidates = {
  readonly words: readonly string[]
  readonly files: 'none' | 'files' | 'folders'
  readonly domains: 'none' | DomainKind
}

/** Which domains: those of the partners, or our own. */
export type DomainKind = 'partner' | 'local'

/** Whose domain a command takes, where it is one that stands in the configuration. */
export const domainsOf: Readonly<Record<string, DomainKind>> = {
  'partner show': 'partner',
  'partner set': 'partner',
  'partner remove': 'partner',
  'session list': 'partner',
  'session close': 'partner',
  dns: 'partner',
  why: 'partner',
  probe: 'partner',
  'cert request': 'local',
  'cert show': 'local',
  'cert check': 'local',
}

const nothing: Candidates = { words: [], files: 'none', domains: 'none' }

/** What the first word behind a command may be. */
export function candidatesBehind({ path, commands, arguments: [argument] }: CommandTree): Candidates {
  if (commands.length > 0) return { ...nothing, words: commands.map(nameOf) }
  if (argument === undefined) return nothing
  return { ...candidatesFor(argument), domains: domainsOf[path.join(' ')] ?? 'none' }
}

/** What an option's value may be. */
export function candidatesFor({ name, choices }: ValueShape): Candidates {
  return {
    words: choices,
    files: /^file\b/.test(name) ? 'files' : name === 'folder' ? 'folders' : 'none',
    domains: name === 'local-domain' ? 'local' : 'none',
  }
}

/** Is there anything to complete? */
export function isSomething({ words, files, domains }: Candidates): boolean {
  return words.length > 0 || files !== 'none' || domains !== 'none'
}

/** Every flag that a value follows; none of them stands without one in another command. */
export function flagsWithValue(program: CommandTree): string[] {
  const flags = everyCommand(program).flatMap(({ options }) =>
    options.flatMap(({ value, flags }) => (value === undefined ? [] : flags)),
  )
  return [...new Set(flags)]
}

/** The last word of a command's path. */
export function nameOf({ path }: CommandTree): string {
  return path.at(-1) ?? ''
}

/** A word in single quotes, for bash and zsh; the shell reads nothing in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
