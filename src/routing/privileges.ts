import { noPrivileges, type Privileges } from '../policy/privileges.ts'
import type { Domain } from '../xmpp/address.ts'
import type { Pair } from './ways.ts'

/** What each local domain has granted to the component of each partner domain, as far as that is known now. */
export class GrantedPrivileges {
  /** From partner domain to local domain; both are configured. */
  readonly #granted = new Map<Domain, Map<Domain, Privileges>>()

  of({ local, remote }: Pair): Privileges {
    return this.#granted.get(remote)?.get(local) ?? noPrivileges
  }

  /** An advertisement takes the place of the last one. */
  put({ local, remote }: Pair, privileges: Privileges): void {
    const known = this.#granted.get(remote)
    if (known === undefined) this.#granted.set(remote, new Map([[local, privileges]]))
    else known.set(local, privileges)
  }

  /** The local domains that have granted anything to a component. */
  grantersOf(remote: Domain): Domain[] {
    return [...(this.#granted.get(remote)?.keys() ?? [])]
  }

  /** The component's stream is lost. */
  forget(remote: Domain): void {
    this.#granted.delete(remote)
  }

  /** Does any component hear the presence of this domain's users? */
  isHeard(local: Domain): boolean {
    return [...this.#granted.values()].some(of => of.get(local)?.presence === true)
  }
}
