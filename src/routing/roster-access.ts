import type { Domain } from '../xmpp/address.ts'
import type { GrantedPrivileges } from './privileges.ts'
import type { Pair } from './ways.ts'

/** How long after a component stream is up the server inside may take to tell what it grants. */
const patienceMs = 5000

/**
 * May a partner domain's component read the rosters of a local domain's users? `away` = it could, until its stream was lost, and the
 * server inside has not had the time to say so again.
 */
export type Access = 'none' | 'granted' | 'away'

/** Where rosters may be read; remembered while the component is away. */
export class RosterAccess {
  readonly #privileges: GrantedPrivileges
  /** What held when the streams of these partner domains were lost; both are configured. */
  readonly #before = new Map<Domain, { readonly locals: Set<Domain>; untilMs: number }>()

  constructor(privileges: GrantedPrivileges) {
    this.#privileges = privileges
  }

  of(pair: Pair): Access {
    if (this.#privileges.of(pair).roster) return 'granted'
    const before = this.#before.get(pair.remote)
    if (before === undefined || !before.locals.has(pair.local)) return 'none'
    return performance.now() < before.untilMs ? 'away' : 'none'
  }

  /** The component's stream is up. */
  connected(remote: Domain): void {
    const before = this.#before.get(remote)
    if (before !== undefined) before.untilMs = performance.now() + patienceMs
  }

  /** The component's stream is lost; what it was granted still stands in the privileges. */
  lost(remote: Domain): void {
    const granters = this.#privileges.grantersOf(remote)
    const locals = granters.filter(local => this.#privileges.of({ local, remote }).roster)
    // Lost again before it was told anything: what held before that does.
    const before = this.#before.get(remote)
    const stillAway = before !== undefined && performance.now() < before.untilMs ? before.locals : []
    this.#before.set(remote, {
      locals: new Set([...locals, ...stillAway]),
      untilMs: Number.POSITIVE_INFINITY,
    })
  }
}
