import type { Judged, PartnerFile } from '../config/partner-file.ts'
import type { ConfigProblem } from '../config/problems.ts'
import { writtenInPlace } from '../config/secrets.ts'
import type { Caller } from './api.ts'
import type { ReloadOutcome } from './reload.ts'

// Whoever may name any file in an entry could ask of every file on the machine whether it is there, what it holds, and
// who may read it. So by the port he hears that it is of no use, and no more: of the list itself, what he would hear anyhow.
const vague = {
  trustAnchors: 'cannot be used as PEM certificates',
  componentSecret: 'cannot be used as a secret',
} as const

const named = /^partners\[\d+\]\.(trustAnchors|componentSecret)\b/
const toldOf = /^(.*?: partners\[\d+\]\.(trustAnchors|componentSecret)\b[^:]*: )/s

/** The partner list as a caller may hear of it: by the port, nothing of the files and variables that its entries name. */
export function listFor({ from }: Caller, list: PartnerFile): PartnerFile {
  if (from === 'local') return list
  return {
    ...list,
    judge: source => discreet(list.judge(source)),
    judgeNew: source => discreet(list.judgeNew(source)),
  }
}

/** What became of a reload, as a caller may hear of it. */
export function reloadFor({ from }: Caller, { reloaded, problems, warnings }: ReloadOutcome) {
  if (from === 'local') return { reloaded, problems: [...problems], warnings: [...warnings] }
  return {
    reloaded,
    problems: problems.map(problem => {
      const [, place, key] = toldOf.exec(problem) ?? []
      return place === undefined ? problem : place + vague[key as keyof typeof vague]
    }),
    warnings: warnings.filter(
      warning => !toldOf.test(warning) || warning.replace(toldOf, '').startsWith(writtenInPlace),
    ),
  }
}

function discreet({ entries, problems }: Judged): Judged {
  return {
    entries: entries.map(entry => ({ ...entry, problems: entry.problems.flatMap(told) })),
    problems: problems.flatMap(told),
  }
}

function told(problem: ConfigProblem): readonly ConfigProblem[] {
  const key = named.exec(problem.key)?.[1]
  // That the list itself is open tells nothing of other files.
  if (key === undefined || problem.message.startsWith(writtenInPlace)) return [problem]
  return problem.severity === 'warning' ? [] : [{ ...problem, message: vague[key as keyof typeof vague] }]
}
