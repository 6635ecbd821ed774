import type { SrvRecord } from '../transport/dns-answer.ts'
import type { Domain } from '../xmpp/address.ts'
import { planAddresses } from './dns-addresses.ts'
import {
  addressesOf,
  type DnsFinding,
  type DomainPlan,
  failureFinding,
  type HostFacts,
  isAbsent,
  newTtl,
  type Scope,
  type ServiceFacts,
  serviceName,
  targetNames,
  type ZoneRecord,
} from './dns-words.ts'

/** Where the gateway listens; `every` is a listener at all addresses. */
export type ListeningAt = {
  readonly address: string
  readonly port: number
  readonly directTls: boolean
  readonly scope: Scope | 'every'
}

/** What the operator says of the gateway, which cannot know it: its host name and its public addresses. */
export type PublicPlace = { readonly host: Domain | undefined; readonly addresses: readonly string[] }

/** The name that SRV records are to lead to, and where it comes from. */
export type ChosenHost = {
  readonly name: string
  readonly from: 'option' | 'published' | 'placeholder'
}

const fallbackPort = 5269

/** Chooses the gateway's host name: what the operator says, else what SRV names already, else `xmpp.DOMAIN`. */
export function chooseHost(facts: ServiceFacts, given: Domain | undefined): ChosenHost {
  if (given !== undefined) return { name: given, from: 'option' }
  const [published] = targetNames(facts)
  if (published !== undefined) return { name: published, from: 'published' }
  return { name: `xmpp.${facts.domain}`, from: 'placeholder' }
}

/**
 * Compares what a local domain publishes with what its listeners need.
 * @param hosts the chosen one, and those that SRV names
 * @param addresses the chosen host's, in their short form; none where the operator gave none
 */
export function planRecords(
  facts: ServiceFacts,
  hosts: readonly HostFacts[],
  host: ChosenHost,
  listeners: readonly ListeningAt[],
  addresses: readonly string[],
): DomainPlan {
  const services = [
    planService(facts, false, host, portsOf(listeners, false)),
    planService(facts, true, host, portsOf(listeners, true)),
  ]
  const kept = services.flatMap(({ records }) => records).filter(({ status }) => status !== 'wrong')
  const looked = hosts.filter(
    one => one.host === host.name || kept.some(({ content }) => content?.endsWith(` ${one.host}.`)),
  )
  const gatewayAddresses = expected(listeners, addresses)
  const plans = [
    ...services,
    ...looked.map(one => planAddresses(one, one.host === host.name ? gatewayAddresses : [])),
  ]
  return {
    records: plans.flatMap(plan => plan.records),
    findings: [...absence(facts), ...plans.flatMap(plan => plan.findings)],
  }
}

function portsOf(listeners: readonly ListeningAt[], directTls: boolean): readonly number[] {
  const ports = listeners.filter(listener => listener.directTls === directTls).map(({ port }) => port)
  return [...new Set(ports.filter(port => port !== 0))]
}

// Where every listener has a public address of its own, these are the gateway's.
function expected(listeners: readonly ListeningAt[], given: readonly string[]): readonly string[] {
  if (given.length > 0) return given
  return listeners.every(({ scope }) => scope === 'public')
    ? [...new Set(listeners.map(({ address }) => address))]
    : []
}

function absence(facts: ServiceFacts): DnsFinding[] {
  if (!isAbsent(facts)) return []
  const message =
    'does not exist (NXDOMAIN): is it registered and delegated, and asked of the right name servers?'
  return [{ severity: 'error', code: 'no-domain', name: facts.domain, type: 'A', message }]
}

function planService(
  facts: ServiceFacts,
  directTls: boolean,
  host: ChosenHost,
  ports: readonly number[],
): DomainPlan {
  const name = serviceName(facts.domain, directTls)
  const found = directTls ? facts.xmpps : facts.xmpp
  const record = (content: string, status: ZoneRecord['status'], ttl = newTtl): ZoneRecord => {
    return { name, ttl, type: 'SRV', content, status }
  }
  const needed = (port: number, status: 'missing' | 'unknown') => record(`0 0 ${port} ${host.name}.`, status)
  if (found.kind === 'failed') {
    const findings = ports.length === 0 ? [] : [failureFinding(name, 'SRV', found)]
    return { records: ports.map(port => needed(port, 'unknown')), findings }
  }
  const published = found.kind === 'records' ? found.records : []
  const fits = (srv: SrvRecord): boolean =>
    srv.target !== '.' && ports.includes(srv.port) && (host.from !== 'option' || srv.target === host.name)
  const isServed = published.some(fits)
  const records: ZoneRecord[] = []
  const findings: DnsFinding[] = []
  for (const srv of published) {
    const fault = fits(srv)
      ? undefined
      : faultOf(srv, { ports, host, isServed, isAlone: published.length === 1 })
    const status = fault === undefined ? 'published' : fault.severity === 'error' ? 'wrong' : 'other'
    records.push(record(contentOf(srv), status, found.kind === 'records' ? found.ttl : newTtl))
    if (fault !== undefined) findings.push({ ...fault, name, type: 'SRV' })
  }
  if (found.kind === 'records' && published.length === 0) {
    const message = 'is there, but its targets are no host names: nobody can use it'
    findings.push({ severity: 'error', code: 'bad-target', name, type: 'SRV', message })
  }
  for (const port of ports.filter(each => !published.some(srv => fits(srv) && srv.port === each))) {
    records.push(needed(port, 'missing'))
    const without = published.length > 0 ? 'publish it' : directTls ? onlyStarttls : fallingBack(facts, ports)
    const message = `not there for port ${port}: ${without}`
    findings.push({ severity: 'error', code: 'missing', name, type: 'SRV', message })
  }
  return { records, findings }
}

function contentOf({ priority, weight, port, target }: SrvRecord): string {
  return `${priority} ${weight} ${port} ${target === '.' ? '.' : `${target}.`}`
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
