import { type CommandTree, everyCommand } from './command-tree.ts'
import {
  type Candidates,
  candidatesBehind,
  candidatesFor,
  flagsWithValue,
  isSomething,
  nameOf,
} from './completion-words.ts'

/** The completion for fish, version 3 or later. */
export function fishCompletion(program: CommandTree): string {
  const commands = everyCommand(program)
  const paths = commands.map(({ path }) => path.join(' ')).filter(path => path !== '')
  return `# gatehouse: completion for fish 3 or later, made by "gatehouse completion fish"

# Tells the command on the line so far, how many words stand behind it, and the configuration that is named.
function __gatehouse_line
    set -l tokens (commandline -opc)
    set -e tokens[1]
    set -l path ''
    set -l value ''
    set -l config ''
    set -l behind 0
    for word in $tokens
        if test -n "$value"
            contains -- $value -c --config; and set config $word
            set value ''
            continue
        end
        switch $word
            case ${flagsWithValue(program).join(' ')}
                set value $word
            case '--config=*'
                set config (string replace -- --config= '' $word)
            case '-*'
            case '*'
                if contains -- (string trim -- "$path $word") ${paths.map(quotedForFish).join(' ')}
                    set path (string trim -- "$path $word")
                else
                    set behind (math $behind + 1)
                end
        end
    end
    printf '%s\\n' "$path" $behind "$config"
end

function __gatehouse_in
    set -l line (__gatehouse_line)
    test "$line[1]" = "$argv[1]"
end

function __gatehouse_behind
    set -l line (__gatehouse_line)
    test "$line[1]" = "$argv[1]" -a "$line[2]" = 0
end

function __gatehouse_domains
    set -l line (__gatehouse_line)
    set -l program (commandline -opc)[1]
    if test -n "$line[3]"
        $program --config $line[3] complete-domains $argv[1] 2>/dev/null
    else
        $program complete-domains $argv[1] 2>/dev/null
    end
end

complete -c gatehouse -f
${commands.flatMap(completions).join('\n')}
`
}

function completions(command: CommandTree): string[] {
  const path = command.path.join(' ')
  const when = (test: string) => `-n ${quotedForFish(`${test} "${path}"`)}`
  const below = command.commands.map(
    one =>
      `complete -c gatehouse ${when('__gatehouse_behind')} -a ${nameOf(one)} -d ${quotedForFish(one.description)}`,
  )
  const candidates = candidatesBehind(command)
  const behind =
    below.length > 0 || !isSomething(candidates)
      ? []
      : [`complete -c gatehouse ${when('__gatehouse_behind')} ${sources(candidates)}`]
  const options = command.options.map(({ flags, value, description }) => {
    const names = flags.map(flag => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
    const where = path === '' ? [] : [when('__gatehouse_in')]
    const takes = value === undefined ? [] : ['-r', sources(candidatesFor(value))]
    return ['complete -c gatehouse', ...where, ...names, ...takes, `-d ${quotedForFish(description)}`]
      .filter(part => part !== '')
      .join(' ')
  })
  return [...below, ...behind, ...options]
}

function sources({ words, files, domains }: Candidates): string {
  const found = [
    ...words,
    ...(domains === 'none' ? [] : [`(__gatehouse_domains ${domains})`]),
    ...(files === 'folders' ? ['(__fish_complete_directories)'] : []),
  ]
  const given = found.length === 0 ? [] : [`-a ${quotedForFish(found.join(' '))}`]
  return [files === 'files' ? '-F' : '-f', ...given].join(' ')
}

function quotedForFish(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
