import { onTestFinished } from 'vitest'
import { type Journal, openJournal } from '../../src/journal.ts'
import { definePartner, partnerList } from '../../src/policy/partner.ts'
import type { AttemptOutcome, AttemptRecord } from '../../src/xmpp/attempt.ts'
import { configFolder } from './config-folder.ts'
import { domain } from './inbound-peer.ts'
import { memoryLog } from './log.ts'

export const failed: AttemptOutcome = { is: 'failed', code: 'connect-refused', reason: 'refused' }
/** A stream that asks about keys. */
export const asked: AttemptOutcome = { is: 'authenticated', method: null }
export const good: AttemptOutcome = { is: 'authenticated', method: 'dialback-tls' }

/** fabrikam.com, and corp.fabrikam.com with it. */
export const fabrikam = definePartner({
  primaryDomain: domain('fabrikam.com'),
  additionalDomains: [domain('corp.fabrikam.com')],
  partnerType: 'federated',
})

/** The journal of a gateway for contoso.com, whose partner is fabrikam.com. It ends with the test. */
export function openTestJournal(path = configFolder().at('data/journal.db')) {
  const log = memoryLog()
  const current = { partners: partnerList([fabrikam]), domains: new Set([domain('contoso.com')]) }
  const journal = openJournal(path, () => current, log)
  onTestFinished(() => journal.close())
  return { journal, log, path, current }
}

/** An inbound attempt of a partner that has proven itself, so many seconds after the beginning of time. */
export function record(
  number: number,
  remote: string | null,
  outcome: AttemptOutcome,
  more: Partial<AttemptRecord> = {},
): AttemptRecord {
  return {
    id: `${remote} ${outcome.is} ${number}`,
    direction: 'in',
    purpose: 'stanzas',
    local: 'contoso.com',
    remote,
    claimed: false,
    started: new Date(number * 1000).toISOString(),
    durationMs: number,
    steps: [],
    outcome,
    closed: null,
    ...more,
  }
}

/** Of somebody at this address who gives a name, that of fabrikam.com if no other, and proves nothing. */
export function claim(
  number: number,
  address: string,
  outcome = failed,
  remote = 'fabrikam.com',
): AttemptRecord {
  return record(number, remote, outcome, { id: `${number}`, claimed: true, steps: [from(address)] })
}

/** The first step of an inbound attempt. */
export function from(address: string) {
  return { ms: 0, step: 'accepted', address } as const
}

/** The numbers of the attempts that the journal has of a domain, the newest first. */
export function numbersOf(journal: Journal, of: string): number[] {
  return journal.list(domain(of), 500).map(({ durationMs }) => durationMs)
}
