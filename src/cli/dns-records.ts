import type { Domain } from '../xmpp/address.ts'
import { planAddresses } from './dns-addresses.ts'
import type { Scope } from './dns-scope.ts'
import { type ChosenHost, planService } from './dns-services.ts'
import {
  type DnsFinding,
  type DomainPlan,
  type HostFacts,
  isAbsent,
  type ServiceFacts,
  withOneTtl,
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
    records: withOneTtl(plans.flatMap(plan => plan.records)),
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
