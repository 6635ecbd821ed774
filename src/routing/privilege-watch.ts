import { needsNoWord, type Privileges } from '../policy/privileges.ts'
import type { Log } from '../telemetry/log.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Pair, Ways } from './ways.ts'

/** How long after a component stream is up the server inside may take to tell what it grants. */
const patienceMs = 5000

/** What the watch asks about. */
export type Watched = {
  readonly partnerType: Ways['partnerType']
  readonly locals: () => Iterable<Domain>
  readonly privileges: (pair: Pair) => Privileges
}

/** Knows where the server inside does not grant what "without the local user's word" needs (contract §3), and says so once. */
export class PrivilegeWatch {
  readonly #watched: Watched
  readonly #log: Pick<Log, 'warn'>
  readonly #waiting = new Map<Domain, NodeJS.Timeout>()
  /** The partner domains whose component has been up for long enough. */
  readonly #due = new Set<Domain>()
  readonly #told = new Set<string>()

  constructor(watched: Watched, log: Pick<Log, 'warn'>) {
    this.#watched = watched
    this.#log = log
  }

  /** Pairs whose contact requests go to the users for want of the presence privilege. */
  get missing(): readonly Pair[] {
    const { partnerType, locals, privileges } = this.#watched
    const isMissing = (pair: Pair) => needsNoWord(partnerType(pair.remote)) && !privileges(pair).presence
    return [...this.#due].flatMap(remote =>
      Array.from(locals(), local => ({ local, remote })).filter(isMissing),
    )
  }

  /** The component stream of a partner domain is up. */
  connected(remote: Domain): void {
    this.lost(remote)
    const timer = setTimeout(() => {
      this.#waiting.delete(remote)
      this.#due.add(remote)
      this.look()
    }, patienceMs)
    this.#waiting.set(remote, timer)
  }

  lost(remote: Domain): void {
    clearTimeout(this.#waiting.get(remote))
    this.#waiting.delete(remote)
    this.#due.delete(remote)
  }

  /** Looks again: partners or domains may have changed. */
  look(): void {
    for (const key of this.#told) {
      const [local, remote] = key.split(' ') as [Domain, Domain]
      if (this.#watched.privileges({ local, remote }).presence) this.#told.delete(key)
    }
    for (const pair of this.missing) {
      const { local, remote } = pair
      const key = `${local} ${remote}`
      if (this.#told.has(key)) continue
      this.#told.add(key)
      this.#log.warn('the server inside does not grant presence', { ...pair, meaning: meaningOf(pair), see })
    }
  }

  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
  }
}

/** Where an operator reads how to grant it. */
const see = 'docs/inside.md'
const mostListed = 5

/** What missing privileges mean, in words for an operator; undefined where nothing is missing. */
export function describeMissing(missing: readonly Pair[]): string | undefined {
  if (missing.length === 0) return undefined
  const listed = missing.slice(0, mostListed).map(meaningOf)
  const others = missing.length - listed.length
  const more = others === 0 ? [] : [`and so with ${others} more pairs of domains`]
  return `${[...listed, ...more].join('; ')}: the server inside does not grant presence (${see})`
}

function meaningOf({ local, remote }: Pair): string {
  return `contact requests from ${remote} go to the users of ${local} for an answer`
}
