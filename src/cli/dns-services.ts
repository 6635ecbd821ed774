import type { DnsAnswer, SrvRecord } from '../transport/dns-answer.ts'
import type { Domain } from '../xmpp/address.ts'
import {
  type Alias,
  addressesOf,
  aliasOf,
  type DnsFinding,
  type DomainPlan,
  failureFinding,
  newTtl,
  type ServiceFacts,
  serviceName,
  targetNames,
  type ZoneRecord,
} from './dns-words.ts'

/** The name that SRV records are to lead to, and where it comes from. */
export type ChosenHost = {
  readonly name: string
  readonly from: 'option' | 'published' | 'placeholder'
}

/** The SRV records that an answer holds. */
type Published = DnsAnswer<SrvRecord> & { readonly kind: 'records' }

const fallbackPort = 5269

/** Chooses the gateway's host name: what the operator says, else what SRV names already, else `xmpp.DOMAIN`. */
export function chooseHost(facts: ServiceFacts, given: Domain | undefined): ChosenHost {
  if (given !== undefined) return { name: given, from: 'option' }
  const [published] = targetNames(facts)
  if (published !== undefined) return { name: published, from: 'published' }
  return { name: `xmpp.${facts.domain}`, from: 'placeholder' }
}

/**
 * Compares the SRV records of one service with those that the gateway needs.
 * @param ports where the gateway listens for it
 */
export function planService(
  facts: ServiceFacts,
  directTls: boolean,
  host: ChosenHost,
  ports: readonly number[],
): DomainPlan {
  const name = serviceName(facts.domain, directTls)
  const found = directTls ? facts.xmpps : facts.xmpp
  const needed = (port: number, status: 'missing' | 'unknown'): ZoneRecord => {
    return { name, ttl: newTtl, type: 'SRV', content: `0 0 ${port} ${host.name}.`, status }
  }
  if (found.kind === 'failed') {
    const findings = ports.length === 0 ? [] : [failureFinding(name, 'SRV', found)]
    return { records: ports.map(port => needed(port, 'unknown')), findings }
  }
  const alias = aliasOf(found)
  const { records, findings, served } =
    found.kind === 'records' ? judge(found, alias?.end ?? name, host, ports) : nothing
  const missing = ports.filter(port => !served.includes(port))
  const without =
    found.kind === 'records' ? 'publish it' : directTls ? onlyStarttls : fallingBack(facts, ports)
  const all = [
    ...findings,
    ...missing.map((port): DnsFinding => {
      const message = `not there for port ${port}: ${without}`
      return { severity: 'error', code: 'missing', name, type: 'SRV', message }
    }),
  ]
  if (alias === undefined)
    return { records: [...records, ...missing.map(port => needed(port, 'missing'))], findings: all }
  // Beside an alias there can be no other record: it holds all that is needed, or goes.
  const isKept = missing.length === 0 && records.some(({ status }) => status !== 'wrong')
  const status = isKept ? 'published' : 'wrong'
  const cname: ZoneRecord = { name, ttl: alias.ttl, type: 'CNAME', content: `${alias.target}.`, status }
  const instead = isKept ? [] : ports.map(port => needed(port, 'missing'))
  const told = aliasFault(alias, found.kind, isKept, ports)
  return {
    records: [cname, ...instead, ...records],
    findings: [{ ...told, code: 'alias', name, type: 'SRV' }, ...all],
  }
}

const nothing = { records: [], findings: [], served: [] }

function judge(
  { records: published, unusable, ttl }: Published,
  name: string,
  host: ChosenHost,
  ports: readonly number[],
): DomainPlan & { readonly served: readonly number[] } {
  const type = 'SRV'
  const fits = (srv: SrvRecord): boolean =>
    srv.target !== '.' && ports.includes(srv.port) && (host.from !== 'option' || srv.target === host.name)
  const isServed = published.some(fits)
  const isAlone = published.length + unusable.length === 1
  const records: ZoneRecord[] = []
  const findings: DnsFinding[] = []
  for (const srv of published) {
    const fault = fits(srv) ? undefined : faultOf(srv, { ports, host, isServed, isAlone })
    const status = fault === undefined ? 'published' : fault.severity === 'error' ? 'wrong' : 'other'
    records.push({ name, ttl, type, content: contentOf(srv), status })
    if (fault !== undefined) findings.push({ ...fault, name, type })
  }
  for (const srv of unusable) {
    records.push({ name, ttl, type, content: contentOf(srv), status: 'wrong' })
    const message = `leads to ${srv.target}, which is no host name: change or remove it`
    findings.push({ severity: 'error', code: 'bad-target', name, type, message })
  }
  return { records, findings, served: published.filter(fits).map(({ port }) => port) }
}

function contentOf({ priority, weight, port, target }: SrvRecord): string {
  return `${priority} ${weight} ${port} ${target === '.' ? '.' : `${target}.`}`
}

function aliasFault(
  { end }: Alias,
  kind: DnsAnswer<SrvRecord>['kind'],
  isKept: boolean,
  ports: readonly number[],
): Pick<DnsFinding, 'severity' | 'message'> {
  const alias = `is an alias (CNAME) of ${end}`
  if (isKept)
    return { severity: 'warning', message: `${alias}, whose records fit: partners go where those lead` }
  const which = {
    records: 'whose records do not fit',
    'no-data': 'which has no SRV record',
    'no-domain': 'which does not exist (NXDOMAIN)',
  }[kind]
  if (ports.length > 0)
    return { severity: 'error', message: `${alias}, ${which}: put the right record in its place` }
  return { severity: kind === 'records' ? 'error' : 'warning', message: `${alias}, ${which}: remove it` }
}

function faultOf(
  { port, target }: SrvRecord,
  known: {
    readonly ports: readonly number[]
    readonly host: ChosenHost
    /** Whether another record leads to the gateway. */
    readonly isServed: boolean
    readonly isAlone: boolean
  },
): Pick<DnsFinding, 'severity' | 'code' | 'message'> | undefined {
  const { ports, host, isServed, isAlone } = known
  if (target === '.') {
    if (isAlone && ports.length === 0) return undefined
    const message = isAlone
      ? 'says that there is no such service (target "."), and partners believe it: put the right record in its place'
      : 'says that there is no such service (target "."), beside records that say where it is: remove this one'
    return { severity: 'error', code: 'no-service', message }
  }
  if (host.from === 'option' && target !== host.name) {
    const where = `leads to ${target}, port ${port}, not to ${host.name}:`
    return isServed
      ? {
          severity: 'warning',
          code: 'other-target',
          message: `${where} remove it, unless that is a gateway of yours`,
        }
      : { severity: 'error', code: 'wrong-target', message: `${where} put the right record in its place` }
  }
  const kind =
    ports.length === 0 ? 'the gateway has no such listener' : `the gateway listens on ${ports.join(', ')}`
  return {
    severity: 'error',
    code: 'wrong-port',
    message: `leads to port ${port}, but ${kind}: change or remove it`,
  }
}

const onlyStarttls =
  'partners that could begin with TLS (XEP-0368) will not; publish it, or remove the listener'

function fallingBack({ domain, own }: ServiceFacts, ports: readonly number[]): string {
  const addresses = addressesOf(own).map(({ text }) => text)
  if (addresses.length === 0)
    return `partners find no server, for ${domain} has no address either; publish it`
  const listens = ports.includes(fallbackPort) ? '' : ', where the gateway does not listen'
  const whole = `the addresses of ${domain} itself (${addresses.join(', ')}), port ${fallbackPort}${listens}`
  return `partners fall back to ${whole}; publish it`
}
