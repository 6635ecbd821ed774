import { type CommandTree, everyCommand, type OptionShape } from './command-tree.ts'
import { type Candidates, candidatesBehind, candidatesFor, nameOf, quoted } from './completion-words.ts'

/** The completion for zsh, version 5 or later. */
export function zshCompletion(program: CommandTree): string {
  const functions = everyCommand(program).map(command => functionFor(command, program.options))
  return `#compdef gatehouse
# gatehouse: completion for zsh 5 or later, made by "gatehouse completion zsh"

${functions.join('\n')}
# The domains of the configuration that the line names.
_gatehouse_domains() {
  local -a domains=(\${(f)"$($gatehouse complete-domains $@[-1] 2>/dev/null)"})
  compadd "\${@[1,-2]}" -a domains
}

_gatehouse() {
  local -a gatehouse=(\${(Q)words[1]})
  local at=\${words[(I)(-c|--config)]} joined=\${words[(r)--config=*]}
  if ((at > 0 && at + 1 < CURRENT)); then
    gatehouse+=(--config \${(Q)words[at+1]})
  elif [[ -n $joined ]]; then
    gatehouse+=(\${(Q)joined})
  fi
  _gatehouse_program
}

if [[ $funcstack[1] == _gatehouse ]]; then
  _gatehouse "$@"
else
  compdef _gatehouse gatehouse
fi
`
}

function functionFor(command: CommandTree, common: readonly OptionShape[]): string {
  const { path, commands } = command
  const own = path.length === 0 ? [] : command.options
  const options = [...own, ...common].flatMap(optionSpecs)
  if (commands.length > 0) {
    const choices = commands.map(one => `    ${quoted(`${nameOf(one)}:${one.description}`)}`).join('\n')
    const calls = commands.map(one => `        ${nameOf(one)}) ${functionName(one.path)} ;;`).join('\n')
    return `${functionName(path)}() {
  local curcontext=$curcontext state state_descr line
  local -A opt_args
  local -a commands=(
${choices}
  )
  _arguments -C \\
${options.map(one => `    ${one} \\`).join('\n')}
    '1:command:->commands' '*::word:->words'
  case $state in
    commands) _describe command commands ;;
    words)
      case $line[1] in
${calls}
      esac
      ;;
  esac
}
`
  }
  // A word that there is nothing to say of is named all the same: _arguments offers nothing behind one too many.
  const behind = command.arguments.map(({ name }, index) =>
    quoted(`${index + 1}:${escaped(name)}:${index === 0 ? action(candidatesBehind(command)) : ' '}`),
  )
  return `${functionName(path)}() {
  _arguments \\
${[...options, ...behind].map(one => `    ${one}`).join(' \\\n')}
}
`
}

function functionName(path: readonly string[]): string {
  return path.length === 0 ? '_gatehouse_program' : ['_gatehouse', ...path].join('_').replaceAll('-', '_')
}

function optionSpecs({ flags, value, description }: OptionShape): string[] {
  const behind = value === undefined ? '' : `:${escaped(value.name)}:${action(candidatesFor(value))}`
  return flags.map(flag => {
    // Some may be repeated; which, their descriptions tell.
    const head = value === undefined ? flag : `*${flag}${flag.startsWith('--') ? '=' : ''}`
    return quoted(`${head}[${escaped(description)}]${behind}`)
  })
}

function action({ words, files, domains }: Candidates): string {
  const parts = [
    ...(words.length > 0 ? [`(${words.join(' ')})`] : []),
    ...(domains === 'none' ? [] : [`_gatehouse_domains ${domains}`]),
    ...(files === 'none' ? [] : [files === 'files' ? '_files' : '_files -/']),
  ]
  return parts.length < 2
    ? (parts[0] ?? ' ')
    : ` _alternative ${parts.map(one => `"words:word:${one}"`).join(' ')}`
}

function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, '\\$&')
}
