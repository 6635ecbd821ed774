import type { SrvRecord } from '../transport/dns-answer.ts'
import type { Domain } from '../xmpp/address.ts'
import {
  addressesOf,
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
