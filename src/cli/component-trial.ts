import type { Config } from '../config/schema.ts'
import { ComponentLink } from '../internal/component-link.ts'
import type { InsideSink } from '../internal/connector.ts'
import { wordOf } from '../policy/contacts.ts'
import { type Privileges, privilegesIn } from '../policy/privileges.ts'
import { bounceOf, errorFor } from '../routing/bounce.ts'
import { toElement } from '../xml/element.ts'
import type { Slice } from '../xml/reader.ts'
import { type Domain, domainOf, isDomainAlone } from '../xmpp/address.ts'

/** What was advertised: from partner domain to local domain. */
export type Granted = Map<Domain, Map<Domain, Privileges>>

/** What the configuration says of a server inside, where there is one. */
export type InsideConfig = Exclude<Config['internal'], { readonly connector: 'embedded' }>

const connectMs = 5000
/** How long an advertisement may take. */
const advertisementMs = 2000
const closeMs = 1000
const notRunning = { condition: 'remote-server-timeout', text: 'the gateway is not running' } as const

/**
 * Opens the component stream of a partner domain, waits for the advertisements of all local domains, and closes it again. What else
 * comes meanwhile goes back to its sender.
 * @param granted takes every advertisement: ejabberd may send that of one component over the stream of another
 * @returns why there is no stream; undefined = there was
 */
export async function tryComponent(
  remote: Domain,
  internal: InsideConfig,
  { partners, domains, limits }: Config,
  granted: Granted,
): Promise<string | undefined> {
  const done = Promise.withResolvers<string | undefined>()
  let timer: NodeJS.Timeout | undefined
  const stanza = (slice: Slice, declarations: ReadonlyMap<string, string>) => {
    const told = advertisementIn(slice, declarations)
    if (told === undefined) {
      // The server takes a contact request, or its answer, for delivered; the user would wait for good.
      const error = wordOf(slice) === undefined ? bounceOf(slice, notRunning) : errorFor(slice, notRunning)
      if (error !== undefined) link.send({ bytes: Buffer.from(error), stanzas: 1, isOurs: true })
      return
    }
    const known = granted.get(told.remote) ?? new Map<Domain, Privileges>()
    granted.set(told.remote, known.set(told.local, told.privileges))
    if ([...domains.keys()].every(local => granted.get(remote)?.has(local))) done.resolve(undefined)
  }
  const link: ComponentLink = new ComponentLink(
    {
      domain: remote,
      host: internal.host,
      port: internal.port,
      secret: partners.find(remote)?.componentSecret ?? internal.secret ?? '',
      connectMs,
      limits,
      queue: () => ({ stanzas: 0, bytes: limits.queueBytes, waitMs: connectMs }),
      connected: () => {
        timer = setTimeout(() => done.resolve(undefined), advertisementMs)
      },
      disconnected: reason => done.resolve(reason),
    },
    {
      openSink: (source): InsideSink => ({
        stanza: slice => stanza(slice, source.declarations),
        flush: () => {},
      }),
      taken: () => {},
      bounce: () => {},
      isLocal: domain => domains.has(domain),
    },
  )
  const fault = await done.promise
  clearTimeout(timer)
  await link.stop(closeMs)
  return fault
}

function advertisementIn(
  slice: Slice,
  declarations: ReadonlyMap<string, string>,
): { readonly local: Domain; readonly remote: Domain; readonly privileges: Privileges } | undefined {
  const { name, from = '', to = '' } = slice
  if (name !== 'message' || !isDomainAlone(from) || !isDomainAlone(to)) return undefined
  const [local, remote] = [domainOf(from), domainOf(to)]
  const privileges = privilegesIn(toElement(slice, declarations))
  if (local === undefined || remote === undefined || privileges === undefined) return undefined
  return { local, remote, privileges }
}
