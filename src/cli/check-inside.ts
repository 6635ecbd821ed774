import { once } from 'node:events'
import { connect } from 'node:net'
import type { InsideJson } from '../admin/inside.ts'
import type { Report } from '../config/report.ts'
import type { Config } from '../config/schema.ts'
import { needsNoWord } from '../policy/privileges.ts'
import { describeMissing } from '../routing/privilege-watch.ts'
import type { Domain } from '../xmpp/address.ts'
import { type Granted, type InsideConfig, tryComponent } from './component-trial.ts'
import { ApiError, openRunningApi } from './gateway-api.ts'

const internalPatienceMs = 5000
const trialsAtOnce = 20

/**
 * Reports what keeps the server inside from serving the gateway, and what it does not grant; asks the daemon where one runs.
 * @param config undefined where it is faulty: then the server is looked for, and nothing more
 */
export async function reportInside(
  at: { readonly host: string; readonly port: number },
  config: Config | undefined,
  report: Report,
): Promise<void> {
  const isThere = await isReached(at, config?.timeouts.connectMs ?? internalPatienceMs, report)
  if (!isThere || config === undefined || config.internal.connector === 'embedded') return
  let told: InsideJson | undefined
  try {
    const daemon = await openRunningApi(config.file)
    const answer = await daemon?.ask({ method: 'GET', url: '/inside' })
    if (answer?.status === 200) told = answer.value as InsideJson
    else if (answer !== undefined) return // a daemon of another version
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    report('warning', ['admin', 'socket'], error.message)
    return
  }
  const { faults, missing } = told ?? (await tryAll(config.internal, config))
  for (const fault of faults) report('warning', ['internal', keyOf(fault)], fault)
  const words = describeMissing(missing)
  if (words !== undefined) report('warning', ['internal', 'connector'], words)
}

/** A domain that the server does not know is nothing that the secret would mend. */
function keyOf(fault: string): 'secret' | 'connector' {
  return fault.includes(': not-authorized') ? 'secret' : 'connector'
}

async function isReached(
  { host, port }: { readonly host: string; readonly port: number },
  connectMs: number,
  report: Report,
): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    const patience = AbortSignal.timeout(Math.min(connectMs, internalPatienceMs))
    await once(socket, 'connect', { signal: patience })
    return true
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    const cause = why === 'ABORT_ERR' ? 'no answer' : why
    const message = `the internal server at ${host}, port ${port} cannot be reached: ${cause}`
    report('warning', ['internal', 'port'], message)
    return false
  } finally {
    socket.destroy()
  }
}

/** Is for a short time what the daemon would be: the component of every partner domain. */
async function tryAll(
  internal: InsideConfig,
  config: Config,
): Promise<Pick<InsideJson, 'faults' | 'missing'>> {
  const remotes = config.partners.all.flatMap(({ domains }) => domains)
  const granted: Granted = new Map()
  const faults: string[] = []
  const reached: Domain[] = []
  for (let at = 0; at < remotes.length; at += trialsAtOnce) {
    const some = remotes.slice(at, at + trialsAtOnce)
    const outcomes = await Promise.all(some.map(remote => tryComponent(remote, internal, config, granted)))
    for (const [index, fault] of outcomes.entries()) {
      const remote = some[index]!
      if (fault === undefined) reached.push(remote)
      else faults.push(`component ${remote}: ${fault}`)
    }
  }
  const locals = [...config.domains.keys()]
  const missing = reached
    .filter(remote => needsNoWord(config.partners.find(remote)?.partnerType))
    .flatMap(remote => locals.map(local => ({ local, remote })))
    .filter(({ local, remote }) => granted.get(remote)?.get(local)?.presence !== true)
  return { faults, missing }
}
