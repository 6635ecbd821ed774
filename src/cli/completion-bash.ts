import { type CommandTree, everyCommand } from './command-tree.ts'
import {
  type Candidates,
  candidatesBehind,
  candidatesFor,
  flagsWithValue,
  isSomething,
  quoted,
} from './completion-words.ts'

/** The completion for bash, version 4 or later. */
export function bashCompletion(program: CommandTree): string {
  const commands = everyCommand(program)
  const paths = commands.map(({ path }) => pathOf(path)).filter(path => path !== '')
  const ofValues = commands.flatMap(({ path, options }) =>
    options.flatMap(({ flags, value }) => {
      const candidates = value && candidatesFor(value)
      if (candidates === undefined || !isSomething(candidates)) return []
      // The program's own options may stand behind every command.
      const cases = flags.map(flag =>
        path.length === 0 ? `*${quoted(` ${flag}`)}` : quoted(`${pathOf(path)} ${flag}`),
      )
      return [`${cases.join(' | ')}) ${assignments(candidates)} ;;`]
    }),
  )
  const ofOptions = commands
    .filter(({ path, options }) => path.length > 0 && options.length > 0)
    .map(({ path, options }) => `${quoted(pathOf(path))}) words=${quoted(longFlags(options).join(' '))} ;;`)
  const ofArguments = commands
    .map(command => ({ command, candidates: candidatesBehind(command) }))
    .filter(({ candidates }) => isSomething(candidates))
    .map(({ command, candidates }) => `${quoted(`${pathOf(command.path)} 0`)}) ${assignments(candidates)} ;;`)
  return `# gatehouse: completion for bash 4 or later, made by "gatehouse completion bash"

_gatehouse() {
  local current=\${COMP_WORDS[COMP_CWORD]} word path= value= words= files= domains= behind=0
  local -a config=()
  [[ $current == = ]] && current=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $value ]]; then
      [[ $word == = ]] && continue
      [[ $value == -c || $value == --config ]] && config=(--config "$word")
      value=
      continue
    fi
    case $word in
      ${flagsWithValue(program).join(' | ')}) value=$word ;;
      -*) ;;
      *)
        case "$path $word" in
          ${paths.map(quoted).join(' | ')}) path="$path $word" ;;
          *) behind=$((behind + 1)) ;;
        esac
        ;;
    esac
  done
  if [[ -n $value ]]; then
    case "$path $value" in
${lines(ofValues)}
    esac
  elif [[ $current == -* ]]; then
    case $path in
${lines(ofOptions)}
    esac
    words+=${quoted(` ${longFlags(program.options).join(' ')}`)}
  else
    case "$path $behind" in
${lines(ofArguments)}
    esac
  fi
  COMPREPLY=()
  for word in $words; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  if [[ -n $domains ]]; then
    while read -r word; do
      [[ $word == "$current"* ]] && COMPREPLY+=("$word")
    done < <("\${COMP_WORDS[0]}" "\${config[@]}" complete-domains "$domains" 2>/dev/null)
  fi
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do
      COMPREPLY+=("$word")
    done < <(compgen -A "$files" -- "$current")
  fi
}

complete -F _gatehouse gatehouse
`
}

function pathOf(path: readonly string[]): string {
  return path.map(name => ` ${name}`).join('')
}

function longFlags(options: CommandTree['options']): string[] {
  return options.flatMap(({ flags }) => flags.at(-1) ?? [])
}

function assignments({ words, files, domains }: Candidates): string {
  return [
    ...(words.length > 0 ? [`words=${quoted(words.join(' '))}`] : []),
    ...(files === 'none' ? [] : [`files=${files === 'files' ? 'file' : 'directory'}`]),
    ...(domains === 'none' ? [] : [`domains=${domains}`]),
  ].join(' ')
}

function lines(cases: readonly string[]): string {
  return cases.map(one => `      ${one}`).join('\n')
}
