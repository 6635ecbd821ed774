import {
  type Address,
  addressesOf,
  addressTypes,
  aliasOf,
  type DnsFinding,
  type DomainPlan,
  failureFinding,
  type HostFacts,
  newTtl,
  type ZoneRecord,
} from './dns-words.ts'

/**
 * Compares the addresses of a host with those that it should have; without any, with what can be a host's at all.
 * @param addresses in their short form
 */
export function planAddresses(facts: HostFacts, addresses: readonly string[]): DomainPlan {
  const { host } = facts
  const alias = aliasOf(facts)
  if (alias !== undefined) return planInsteadOfAlias(facts, alias, addresses)
  const records: ZoneRecord[] = []
  const findings: DnsFinding[] = []
  for (const type of addressTypes) {
    const found = facts[type]
    const own = addresses.filter(address => isOfType(address, type))
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
      if (status === 'unknown') continue
      const message = `not there for ${content}: publish it`
      findings.push({ severity: 'error', code: 'missing', name: host, type, message })
    }
  }
  if (records.length === 0 && findings.length === 0) return planUnknownAddress(facts)
  return { records, findings }
}

function isOfType(address: string, type: (typeof addressTypes)[number]): boolean {
  return address.includes(':') === (type === 'AAAA')
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

function planInsteadOfAlias(facts: HostFacts, alias: string, addresses: readonly string[]): DomainPlan {
  const name = facts.host
  const texts = addresses.length > 0 ? addresses : addressesOf(facts).map(({ text }) => text)
  const ttls = addressTypes.flatMap(type => (facts[type].kind === 'records' ? [facts[type].ttl] : []))
  const cname = {
    name,
    ttl: Math.min(...ttls),
    type: 'CNAME',
    content: `${alias}.`,
    status: 'wrong',
  } as const
  const message =
    `is an alias (CNAME) of ${alias}, which a target of SRV must not be (RFC 2782), and not every partner follows: ` +
    `name ${alias} in SRV, or give ${name} addresses of its own`
  return {
    records: [
      cname,
      ...texts.map((content): ZoneRecord => {
        return { name, ttl: newTtl, type: content.includes(':') ? 'AAAA' : 'A', content, status: 'missing' }
      }),
    ],
    findings: [{ severity: 'error', code: 'alias', name, type: 'A', message }],
  }
}

function planUnknownAddress({ host, A, AAAA }: HostFacts): DomainPlan {
  const isUnknown = A.kind === 'no-domain' && AAAA.kind === 'no-domain'
  const what = isUnknown ? 'does not exist (NXDOMAIN)' : 'has neither A nor AAAA'
  const message = `${what}: publish the gateway's public address; --address IP tells it to this command`
  return {
    records: [{ name: host, ttl: newTtl, type: 'A', content: null, status: 'missing' }],
    findings: [{ severity: 'error', code: 'no-address', name: host, type: 'A', message }],
  }
}
