import { setTimeout as delay } from 'node:timers/promises'
import { defaultAdminAddress, readAdminAddress } from '../config/admin-address.ts'
import { duration } from '../config/fields.ts'
import { isThere } from '../config/files.ts'
import type { CommandOptions, Host } from './host.ts'
import { formatJson, tellError, tellWarning, toned } from './output.ts'

type Answer = { readonly ready: boolean; readonly detail: string }

const patienceMs = 3000
const pauseMs = 200

/**
 * `health`: exit status 0 where the daemon answers on its admin port, ready or not. A server inside that is down is told, and no
 * reason to start the gateway anew: who asks for this are container engines and systemd.
 * @param options.wait how long a daemon that does not answer yet is asked again, as `30s`; absent = once
 * @param options.isNamed the operator has named the configuration; else it need not be there
 */
export async function health(
  { wait, isNamed }: { readonly wait?: string | undefined; readonly isNamed: boolean },
  { config, json }: CommandOptions,
  host: Host,
): Promise<number> {
  const waitMs = wait === undefined ? { success: true as const, data: 0 } : duration.safeParse(wait)
  if (!waitMs.success) {
    tellError(`gatehouse: --wait: ${waitMs.error.issues[0]?.message}`, host)
    return 2
  }
  const isUntold = !isNamed && !isThere(config)
  if (isUntold) tellWarning(`gatehouse: there is no ${config} here; the default port is asked`, host)
  const at = isUntold ? defaultAdminAddress : readAdminAddress(config)
  if ('fault' in at) {
    tellError(`gatehouse: ${at.fault}`, host)
    return 1
  }
  const url = urlOf(at)
  const deadlineMs = performance.now() + waitMs.data
  let answer = await ask(url)
  while ('fault' in answer && performance.now() < deadlineMs) {
    await delay(pauseMs)
    answer = await ask(url)
  }
  const alive = !('fault' in answer)
  const detail = 'fault' in answer ? `no answer from ${url}: ${answer.fault}` : answer.detail
  const ready = 'ready' in answer && answer.ready
  if (json) host.out(formatJson({ alive, ready, detail }))
  else if (alive) {
    const said = `alive, ${ready ? 'ready' : 'not ready'}: ${detail}\n`
    host.out(toned(ready ? 'good' : 'warning', said, 'out', host))
  } else tellError(detail, host)
  return alive ? 0 : 1
}

/** The address that every address means is none to connect to. */
function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/readyz`
}

async function ask(url: string): Promise<Answer | { readonly fault: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) })
    const value: unknown = await response.json()
    return isAnswer(value) ? value : { fault: 'somebody else answers there' }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return { fault: cause instanceof Error ? cause.message : String(cause) }
  }
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== 'object' || value === null || !('ready' in value) || !('detail' in value)) return false
  return typeof value.ready === 'boolean' && typeof value.detail === 'string'
}
