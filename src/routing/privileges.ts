import { noPrivileges, type Privileges } from '../policy/privileges.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Pair } from './ways.ts'

/** What each local domain has granted to the component of each partner domain, as far as that is known now. */
export class GrantedPrivileges {
  /** From partner domain to local domain; both are configured. */
  readonly #granted = new Map<Domain, Map<Domain, Privileges>>()
  /** Who had granted presence when the component's stream was lost, and has said nothing since. */
  readonly #forgotten = new Map<Domain, ReadonlySet<Domain>>()

  of({ local, remote }: Pair): Privileges {
    return this.#granted.get(remote)?.get(local) ?? noPrivileges
  }

  /** An advertisement takes the place of the last one. */
  put({ local, remote }: Pair, privileges: Privileges): void {
    const known = this.#granted.get(remote)
    if (known === undefined) this.#granted.set(remote, new Map([[local, privileges]]))
    else known.set(local, privileges)
  }

  /** Had presence been granted before the component's stream was lost? False once there is an advertisement. */
  isForgotten({ local, remote }: Pair): boolean {
    return this.#granted.get(remote)?.has(local) !== true && this.#forgotten.get(remote)?.has(local) === true
  }

  /** The local domains that have granted anything to a component. */
  grantersOf(remote: Domain): Domain[] {
    return [...(this.#granted.get(remote)?.keys() ?? [])]
  }

  /** The component's stream is lost. */
  forget(remote: Domain): void {
    const granted = [...(this.#granted.get(remote) ?? [])].filter(([, { presence }]) => presence)
    const before = [...(this.#forgotten.get(remote) ?? [])].filter(local =>
      this.isForgotten({ local, remote }),
    )
    this.#forgotten.set(remote, new Set([...before, ...granted.map(([local]) => local)]))
    this.#granted.delete(remote)
  }

  /** Does any component hear the presence of this domain's users? */
  isHeard(local: Domain): boolean {
    return [...this.#granted.values()].some(of => of.get(local)?.presence === true)
  }
}
