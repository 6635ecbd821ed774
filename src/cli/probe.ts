import { randomBytes } from 'node:crypto'
import { outcomeLine, type ProbeLine, ProbeRefused } from '../admin/journal.ts'
import { loadForProbe } from '../config/load.ts'
import { ConfigError } from '../config/problems.ts'
import type { Config } from '../config/schema.ts'
import { credentialsOf, derive } from '../derived.ts'
import { environmentOf } from '../environment.ts'
import { proberOf } from '../probe.ts'
import { ExpiryWatch } from '../telemetry/expiry.ts'
import { silent } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { TlsContexts } from '../transport/tls.ts'
import { type Domain, parseDomain } from '../xmpp/address.ts'
import type { TimedStep } from '../xmpp/attempt.ts'
import { formatMeaning, formatStep, isOutcome, outcomeWords } from './attempt-words.ts'
import { ApiError, openRunningApi } from './gateway-api.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatProblems, tellError, tellWarning, toned } from './output.ts'

/** `probe DOMAIN`: a live attempt, each step told as it happens; the exit status is 0 where it has authenticated. */
export async function probe(
  domain: string,
  { from, ...options }: CommandOptions & { readonly from: string | undefined },
  host: Host,
): Promise<number> {
  const [remote, local] = [parseDomain(domain), from === undefined ? undefined : parseDomain(from)]
  if (remote === undefined || (from !== undefined && local === undefined)) {
    tellError(`gatehouse: ${JSON.stringify(remote === undefined ? domain : from)} is not a domain`, host)
    return 2
  }
  let status = 1
  const tell = teller(host)
  const onLine = (line: ProbeLine) => {
    if (options.json) host.out(`${JSON.stringify(line)}\n`)
    else tell(line)
    if ('outcome' in line && line.outcome.outcome.is === 'authenticated') status = 0
  }
  try {
    const running = await openRunningApi(options.config)
    if (running === undefined) {
      await probeHere({ local, remote }, loadForProbe(options.config, host.env), onLine, host)
      return status
    }
    const body = { domain: remote, ...(local === undefined ? {} : { from: local }) }
    const refusal = await running.follow({ method: 'POST', url: '/probe', body }, line =>
      onLine(line as ProbeLine),
    )
    if (refusal === undefined) return status
    throw new ApiError((refusal.value as { error: { message: string } }).error.message)
  } catch (error) {
    if (error instanceof ConfigError) host.err(formatProblems(error.problems, host))
    else if (error instanceof ApiError || error instanceof ProbeRefused)
      tellError(`gatehouse: ${error.message}`, host)
    else throw error
    return 1
  }
}

/** The same attempt from this process, while the gateway does not run. */
async function probeHere(
  pair: { local: Domain | undefined; remote: Domain },
  config: Config,
  onLine: (line: ProbeLine) => void,
  host: Host,
): Promise<void> {
  const methods = config.partners.find(pair.remote)?.terms.methods ?? []
  if (methods.some(method => method !== 'sasl-external-tls'))
    tellWarning(`gatehouse: ${dialbackCaveat(config)}`, host)
  const derived = derive(config, silent)
  const environment = environmentOf(() => derived, {
    log: silent,
    metrics: new Metrics(),
    tls: new TlsContexts(await credentialsOf(config, silent)),
    admission: { countOutbound: () => () => {} },
    expiry: new ExpiryWatch(silent),
    dialbackSecret: randomBytes(32).toString('hex'),
    record: () => {},
    authenticated: () => {},
    openSink: () => ({ stanza() {}, flush() {} }),
    bounce: () => {},
  })
  const probe = proberOf(environment, { judge: environment.judge, succeeded: () => {} })
  const outcome = await probe(pair, step => onLine({ step }), new AbortController().signal)
  onLine(outcomeLine(outcome))
}

function dialbackCaveat({ dialback }: Config): string {
  const so =
    'the gateway does not run here, and dialback needs it: the partner asks it about the key of this probe'
  return dialback.secret === undefined
    ? `${so}. dialback.secret is not set, or cannot be read here: nobody else knows the key either, so dialback will fail; EXTERNAL is probed as it is`
    : `${so}. It succeeds only if another gateway of the pool, with the same dialback.secret, answers`
}

/** Tells a probe in words. A step that has failed waits for the next line, which comes at once: it may tell the same. */
function teller(host: Host): (line: ProbeLine) => void {
  const { out } = host
  let waiting: TimedStep | undefined
  return line => {
    if (waiting !== undefined && !('outcome' in line && isOutcome(waiting, line.outcome)))
      out(formatStep(waiting))
    waiting = 'step' in line && line.step.step === 'failed' ? line.step : undefined
    if ('error' in line) tellError(`gatehouse: ${line.error.message}`, host)
    else if ('outcome' in line) out(formatOutcome(line, host))
    else if (waiting === undefined) out(formatStep(line.step))
  }
}

function formatOutcome({ outcome, meaning }: Extract<ProbeLine, { outcome: unknown }>, host: Host): string {
  const tone = outcome.outcome.is === 'authenticated' ? 'good' : 'error'
  const said = `${`${outcome.durationMs} ms`.padStart(10)}  ${outcomeWords({ ...outcome, closed: null })}\n`
  const result = toned(tone, said, 'out', host)
  return meaning === null ? result : result + formatMeaning(meaning)
}
