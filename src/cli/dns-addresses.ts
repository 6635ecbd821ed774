import { scopeOf } from './dns-scope.ts'
import {
  type Address,
  type Alias,
  addressesOf,
  addressless,
  addressTypes,
  type DnsFinding,
  type DomainPlan,
  failureFinding,
  type HostFacts,
  hostAlias,
  newTtl,
  type ZoneRecord,
} from './dns-words.ts'

/**
 * Compares the addresses of a host with those that it should have; without any, with what can be a host's at all.
 * @param addresses in their short form
 */
export function planAddresses(facts: HostFacts, addresses: readonly string[]): DomainPlan {
  const { host } = facts
  const alias = hostAlias(facts)
  if (alias !== undefined) return planInsteadOfAlias(facts, alias, addresses)
  const records: ZoneRecord[] = []
  const findings: DnsFinding[] = []
  for (const type of addressTypes) {
    const found = facts[type]
    const own = addresses.filter(address => typeOf(address) === type)
    const published = found.kind === 'records' ? found.records : []
    for (const address of published) {
      const fault = addressFault(address, addresses)
      const ttl = found.kind === 'records' ? found.ttl : newTtl
      const status = fault?.severity === 'error' ? 'wrong' : 'published'
      records.push({ name: host, ttl, type, content: address.text, status })
      if (fault !== undefined) findings.push({ ...fault, name: host, type })
    }
    if (found.kind === 'failed') findings.push(failureFinding(host, type, found))
    for (const content of own.filter(address => !published.some(({ text }) => text === address))) {
      const status = found.kind === 'failed' ? 'unknown' : 'missing'
      records.push({ name: host, ttl: newTtl, type, content, status })
      const message = `not there for ${content}: publish it`
      if (status === 'missing')
        findings.push({ severity: 'error', code: 'missing', name: host, type, message })
      findings.push(...unreachable(host, content))
    }
  }
  if (records.length === 0 && findings.length === 0) return planUnknownAddress(facts)
  return { records, findings }
}

function typeOf(address: string): (typeof addressTypes)[number] {
  return address.includes(':') ? 'AAAA' : 'A'
}

// Of an address that is to be published.
function unreachable(name: string, address: string): DnsFinding[] {
  if (scopeOf(address) === 'public') return []
  const message = `${address} cannot be reached from outside: publish it only where partners do not look`
  return [{ severity: 'warning', code: 'private-address', name, type: typeOf(address), message }]
}

function addressFault(
  { text, scope }: Address,
  expectedAddresses: readonly string[],
): Pick<DnsFinding, 'severity' | 'code' | 'message'> | undefined {
  if (scope === 'nobody')
    return { severity: 'error', code: 'unusable-address', message: `${text} is no host's address: remove it` }
  if (expectedAddresses.length > 0 && !expectedAddresses.includes(text)) {
    const message = `${text} is none of the gateway's (${expectedAddresses.join(', ')}): remove it`
    return { severity: 'error', code: 'wrong-address', message }
  }
  if (scope === 'public') return undefined
  const message =
    `${text} cannot be reached from outside. If these name servers answer differently to the world, ask one of the ` +
    "world's: dns.servers"
  return { severity: 'warning', code: 'private-address', message }
}

function planInsteadOfAlias(facts: HostFacts, alias: Alias, addresses: readonly string[]): DomainPlan {
  const name = facts.host
  const usable = addressesOf(facts).filter(({ scope }) => scope !== 'nobody')
  const texts = addresses.length > 0 ? addresses : usable.map(({ text }) => text)
  const { target, end, ttl } = alias
  const cname: ZoneRecord = { name, ttl, type: 'CNAME', content: `${target}.`, status: 'wrong' }
  const absence = addressless(facts)
  const message =
    absence === undefined
      ? `is an alias (CNAME) of ${end}, which a target of SRV must not be (RFC 2782), and not every partner follows: ` +
        `name ${end} in SRV, or give ${name} addresses of its own`
      : `${absence}: give ${name} addresses of its own`
  const instead = texts.map((content): ZoneRecord => {
    return { name, ttl: newTtl, type: typeOf(content), content, status: 'missing' }
  })
  return {
    records: [cname, ...(instead.length > 0 ? instead : [placeholder(name)])],
    findings: [
      { severity: 'error', code: 'alias', name, type: 'A', message },
      ...addressTypes.flatMap(type => {
        const found = facts[type]
        return found.kind === 'failed' ? [failureFinding(name, type, found)] : []
      }),
      ...(instead.length > 0 ? [] : [noAddress(name, 'leads to no address')]),
      ...texts.flatMap(text => unreachable(name, text)),
    ],
  }
}

function planUnknownAddress(facts: HostFacts): DomainPlan {
  const { host } = facts
  const what = addressless(facts) ?? 'has no address'
  return { records: [placeholder(host)], findings: [noAddress(host, what)] }
}

function placeholder(name: string): ZoneRecord {
  return { name, ttl: newTtl, type: 'A', content: null, status: 'missing' }
}

function noAddress(name: string, what: string): DnsFinding {
  const message = `${what}: publish the gateway's public address; --address IP tells it to this command`
  return { severity: 'error', code: 'no-address', name, type: 'A', message }
}
