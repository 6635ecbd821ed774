import { describe, test } from 'vitest'
import type { PeerKind } from '../../support/server-process.ts'
import { type Availability, domainOf, type Person } from './person.ts'
import { type Meet, noteFor, trustingTypes } from './scene.ts'

/** Presence access is granted: the gateway approves what a federated or a publicly verified partner's user asks for. */
export function withoutTheUsersWord(meet: Meet, inside: PeerKind): void {
  describe('a trusted partner’s user, where presence access is granted,', () => {
    test.each(trustingTypes)('sees the local user at once, who is not asked (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'granted')
      await juliet.doesNotSee(romeo, { show: 'chat', note: 'for friends' })
      await asksAndSees(juliet, romeo, { show: 'chat', ...noteFor(type, 'for friends') })
      await romeo.hasHeardNothingFrom(juliet)

      romeo.shows({ show: 'dnd', note: 'in a meeting' })
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      juliet.probes(romeo)
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      await juliet.reaches(romeo)
      await romeo.reaches(juliet)

      romeo.leaves('gone fishing')
      await juliet.seesGone(romeo, noteFor(type, 'gone fishing'))
      juliet.probes(romeo)
      await juliet.seesGone(romeo)
      romeo.shows({ show: 'away', note: 'back' })
      await juliet.sees(romeo, { show: 'away', ...noteFor(type, 'back') })

      juliet.says('unsubscribe', romeo)
      await juliet.seesGone(romeo)
      await juliet.doesNotSee(romeo, { show: 'xa', note: 'gone' })
      juliet.probes(romeo)
      await juliet.doesNotSee(romeo, { show: 'dnd', note: 'gone' })
      await romeo.hasHeardNothingFrom(juliet)
      await juliet.reaches(romeo)
    })

    test.each(trustingTypes)('sees him again when the gateway has been killed (%s)', async type => {
      const { romeo, juliet, gateway } = await meet(type, 'granted')
      await juliet.doesNotSee(romeo, { show: 'chat', note: 'for friends' })
      await asksAndSees(juliet, romeo, { show: 'chat', ...noteFor(type, 'for friends') })

      await gateway.crashes()
      // Prosody says at once who is there. ejabberd does not: until he shows himself, nobody knows.
      if (inside === 'prosody') await juliet.sees(romeo, { show: 'chat', ...noteFor(type, 'for friends') })
      else await juliet.seesGone(romeo)
      romeo.shows({ show: 'dnd', note: 'in a meeting' })
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      juliet.probes(romeo)
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })

      juliet.says('unsubscribe', romeo)
      await juliet.seesGone(romeo)
      await gateway.crashes()
      await juliet.reaches(romeo)
      await juliet.doesNotSee(romeo, { show: 'away', note: 'gone' })
      await romeo.hasHeardNothingFrom(juliet)
    })

    test.each(trustingTypes)('sees each of his clients (%s)', async type => {
      const { romeo, juliet, romeoElsewhere } = await meet(type, 'granted')
      const elsewhere = await romeoElsewhere()
      elsewhere.shows({ show: 'away', note: 'on the train' })
      await juliet.catchesUpWith(elsewhere)
      await juliet.doesNotSee(romeo, { show: 'chat' })
      await asksAndSees(juliet, romeo, { show: 'chat' })
      await juliet.sees(elsewhere, { show: 'away', ...noteFor(type, 'on the train') })
      romeo.leaves('gone fishing')
      await juliet.seesGone(romeo, noteFor(type, 'gone fishing'))
      juliet.probes(romeo)
      await juliet.sees(elsewhere, { show: 'away', ...noteFor(type, 'on the train') })
      juliet.says('unsubscribe', romeo)
      await juliet.seesGone(elsewhere)
    })

    // ejabberd does not tell of it: docs/inside.md, known limits.
    if (inside === 'prosody') {
      test('sees him gone when his connection is lost', async () => {
        const { romeo, juliet } = await meet('federated', 'granted')
        await juliet.doesNotSee(romeo, { show: 'chat' })
        await asksAndSees(juliet, romeo, { show: 'chat' })
        await romeo.client.isCutOff()
        await juliet.seesGone(romeo)
      })
    }

    test.each(trustingTypes)('sees everything once when he adds her, too (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'granted')
      await juliet.doesNotSee(romeo, { show: 'chat' })
      await asksAndSees(juliet, romeo, { show: 'chat' })
      romeo.says('subscribe', juliet)
      await juliet.hears('subscribe', romeo)
      juliet.says('subscribed', romeo)
      await romeo.hears('subscribed', juliet)
      await juliet.seesOnce(romeo, { show: 'dnd' })
    })

    test.each(trustingTypes)('sees everything once when he has approved her before (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'granted')
      romeo.says('subscribed', juliet)
      await juliet.catchesUpWith(romeo)
      juliet.says('subscribe', romeo)
      // Prosody keeps that word to itself, and the gateway approves. ejabberd passes it on, forgets it, and asks him again.
      if (inside === 'ejabberd') {
        await romeo.hears('subscribe', juliet)
        romeo.says('subscribed', juliet)
      }
      await juliet.hears('subscribed', romeo)
      await juliet.seesOnce(romeo, { show: 'dnd' })
    })

    test.each(trustingTypes)(
      'sees everything once when he answers what she asked before (%s)',
      async type => {
        const { romeo, juliet, gateway } = await meet('publicUnverified', 'granted')
        romeo.says('subscribe', juliet)
        await juliet.hears('subscribe', romeo)
        juliet.says('subscribe', romeo)
        await romeo.hears('subscribe', juliet)
        await romeo.catchesUpWith(juliet)
        await gateway.changesPartner(domainOf(juliet), type)
        try {
          await asksAgainAndSees(juliet, romeo)
          romeo.says('subscribed', juliet) // from now on his own server tells her
          await juliet.seesOnce(romeo, { show: 'dnd' })
          await gateway.crashes()
          await juliet.seesOnce(romeo, { show: 'away' })
          juliet.says('unsubscribe', romeo)
          await romeo.hears('unsubscribe', juliet)
          await juliet.doesNotSee(romeo, { show: 'xa' })
        } finally {
          await gateway.changesPartner(domainOf(juliet), 'publicUnverified')
        }
      },
    )

    // COMPAT(ejabberd 23.01): passes on a `subscribed` that answers nothing, and tells her no presence for it.
    test.each(trustingTypes)('sees everything once when he says `subscribed` unasked (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'granted')
      await juliet.doesNotSee(romeo, { show: 'chat' })
      await asksAndSees(juliet, romeo, { show: 'chat' })
      romeo.says('subscribed', juliet)
      await juliet.seesOnce(romeo, { show: 'dnd' })
    })
  })
}

async function asksAgainAndSees(asker: Person, asked: Person): Promise<void> {
  asker.says('subscribe', asked)
  await asker.hears('subscribed', asked)
  await asked.hasHeardNothingFrom(asker)
  await asker.seesOnce(asked, { show: 'chat' })
}

async function asksAndSees(asker: Person, asked: Person, as: Availability): Promise<void> {
  asker.says('subscribe', asked)
  await asker.hears('subscribed', asked)
  await asker.sees(asked, as)
}
