import type { MeaningJson } from '../admin/why.ts'
import {
  type AttemptRecord,
  type AttemptStep,
  type DialbackLeg,
  type StreamEnd,
  sourceOf,
  type TimedStep,
} from '../xmpp/attempt.ts'
import type { Culprit, Why } from '../xmpp/reason.ts'

/** One step in plain words, for `why` and `probe` alike: a line, and more of them further in where there is more to tell. */
export function formatStep({ ms, ...step }: TimedStep): string {
  const [first = '', ...more] = wordsOf(step)
  return [`${`${ms} ms`.padStart(10)}  ${first}\n`, ...more.map(line => `${' '.repeat(14)}${line}\n`)].join(
    '',
  )
}

/** Whether a step tells the same as the outcome that follows it: once is enough. */
export function isOutcome(step: AttemptStep, { outcome }: Pick<AttemptRecord, 'outcome'>): boolean {
  if (step.step !== 'failed' || outcome.is !== 'failed') return false
  return step.code === outcome.code && step.reason === outcome.reason
}

/** What came of an attempt, in a line. */
export function outcomeWords({ outcome, closed }: AttemptRecord): string {
  if (outcome.is === 'failed')
    return `failed: ${codeWords(outcome)}${closed ? endWords(closed, outcome) : ''}`
  const method = outcome.method === null ? 'up, to ask about keys' : `authenticated by ${outcome.method}`
  return closed === null ? method : method + endWords(closed)
}

/** What it failed for is not said twice. */
function endWords(closed: StreamEnd, failure?: Why): string {
  const isSame = closed.code === failure?.code && closed.reason === failure.reason
  return `; ended by ${sides[closed.side]}${isSame ? '' : `: ${codeWords(closed)}`}`
}

/** What a code means, whose fault it mostly is, and what to do. */
export function formatMeaning({ title, fault, remedy }: MeaningJson): string {
  return `\nWhat it means  ${title}\nWhose fault    ${culprits[fault]}\nWhat to do     ${remedy}\n`
}

/** When and between whom; of who came and proved nothing, that, and where he came from. */
export function headWords(attempt: AttemptRecord): string {
  const { started, direction, local, remote, purpose, claimed } = attempt
  if (claimed && remote !== null)
    return `${timeWords(started)}, ${direction}, to ${local ?? '?'}: ${claimWords(attempt)}`
  const way = direction === 'in' ? `${remote ?? '?'} to ${local ?? '?'}` : `${local} to ${remote}`
  return `${timeWords(started)}, ${direction}, ${way}${purpose === 'stanzas' ? '' : `, ${purpose}`}`
}

function claimWords({ remote, ...attempt }: AttemptRecord): string {
  return `claimed to be ${remote} and proved nothing, from ${sourceOf(attempt) ?? '?'}`
}

/** A moment as it is written in tables. */
export function timeWords(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z')
}

const culprits: Readonly<Record<Culprit, string>> = {
  ours: 'mostly ours',
  partner: 'mostly the partner’s',
  network: 'mostly the network’s',
  policy: 'nobody’s: the policy here and the partner do not agree',
  nobody: 'nobody’s',
}

const sides = { us: 'us', peer: 'the partner', network: 'the network' } as const

function codeWords({ code, reason }: Why): string {
  return `${code}: ${reason}`
}

function wordsOf(step: AttemptStep): string[] {
  switch (step.step) {
    case 'accepted':
      return [`connected from ${step.address}`]
    case 'dns':
      return [`DNS ${step.question}: ${dnsWords(step)}${step.isCached ? ' (from the cache)' : ''}`]
    case 'server':
      return [
        `server ${step.host} port ${step.port}${step.directTls ? ', TLS first' : ''} (${sources[step.source]})`,
      ]
    case 'address':
      return [`address ${step.address}: ${step.reason ?? addressOutcomes[step.outcome]}`]
    case 'header':
      return [`stream header from ${step.from ?? 'nobody'} to ${step.to ?? 'nobody'}`]
    case 'tls':
      return [`TLS ${step.version}, ${step.cipher}`]
    case 'certificate':
      return certificateWords(step)
    case 'offers':
      return [
        `${step.by === 'us' ? 'we offer' : 'the partner offers'} ${step.offers.join(', ') || 'nothing'}`,
      ]
    case 'sasl':
      return [step.outcome === 'tried' ? 'we try SASL EXTERNAL' : `SASL EXTERNAL ${step.outcome}`]
    case 'dialback':
      return [`dialback: ${legs[step.leg]}${step.outcome === null ? '' : `: ${step.outcome}`}`]
    case 'failed':
      return [codeWords(step)]
    case 'note':
      return [step.reason]
    case 'authenticated':
      return [`${step.local} and ${step.remote} authenticated by ${step.method}`]
    case 'left-out':
      return [`(${step.count} steps left out)`]
  }
}

const sources = {
  proxy: 'proxy in the partner list',
  srv: 'SRV record',
  fallback: 'no SRV record: the domain itself',
} as const
const addressOutcomes = { connected: 'connected', failed: 'failed', abandoned: 'another was faster' } as const
const legs: Readonly<Record<DialbackLeg, string>> = {
  'us-key': 'our key is sent',
  'peer-answer': 'the partner says',
  'peer-key': 'the partner’s key has come',
  'us-ask': 'its authoritative server is asked',
  'authority-answer': 'its authoritative server says',
  'peer-ask': 'the partner asks about a key of ours, and we say',
}

function dnsWords({ outcome, records, reason }: AttemptStep & { step: 'dns' }): string {
  if (outcome === 'records') return records.join(', ')
  if (outcome === 'failed') return `no answer (${reason})`
  return outcome === 'no-data' ? 'no such record' : 'no such name'
}

function certificateWords({ shown, faults }: AttemptStep & { step: 'certificate' }): string[] {
  const wrong = faults.map(fault => codeWords(fault))
  if (shown === null) return ['the partner shows no certificate', ...wrong]
  const { subject, issuer, names, notBefore, notAfter, fingerprint } = shown
  return [
    `certificate ${wrong.length === 0 ? 'is valid' : 'is NOT valid'}`,
    ...wrong,
    `names ${names.join(', ') || 'none'}`,
    `subject ${subject}, issuer ${issuer}`,
    `${notBefore.slice(0, 10)} to ${notAfter.slice(0, 10)}, ${fingerprint}`,
  ]
}
