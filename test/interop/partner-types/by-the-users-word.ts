import { describe, test } from 'vitest'
import { type Meet, noteFor, trustingTypes } from './scene.ts'

/** Nothing is granted: a federated or a publicly verified partner's user is for the local user to answer. */
export function byTheUsersWord(meet: Meet): void {
  describe('a trusted partner’s user, where nothing is granted,', () => {
    test.each(trustingTypes)('asks the local user, and sees him from then on (%s)', async type => {
      const { romeo, juliet, gateway } = await meet(type, 'not granted')
      await juliet.reaches(romeo)
      juliet.probes(romeo)
      await juliet.doesNotSee(romeo, { show: 'chat', note: 'for friends' })

      juliet.says('subscribe', romeo)
      await romeo.hears('subscribe', juliet)
      await juliet.doesNotSee(romeo, { show: 'away', note: 'for friends' })
      romeo.says('subscribed', juliet)
      await juliet.hears('subscribed', romeo)
      await juliet.sees(romeo, { show: 'away', ...noteFor(type, 'for friends') })

      await gateway.crashes()
      romeo.shows({ show: 'dnd', note: 'in a meeting' })
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      juliet.probes(romeo)
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      await juliet.reaches(romeo)
      await romeo.reaches(juliet)

      juliet.says('unsubscribe', romeo)
      await romeo.hears('unsubscribe', juliet)
      await juliet.doesNotSee(romeo, { show: 'xa', note: 'gone' })
      await juliet.reaches(romeo)
    })

    test.each(trustingTypes)('is removed again, and still reaches the local user (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'not granted')
      for (const removes of [
        () => romeo.says('unsubscribed', juliet), //
        () => romeo.dropsFromRoster(juliet),
      ]) {
        juliet.says('subscribe', romeo)
        await romeo.hears('subscribe', juliet)
        romeo.says('subscribed', juliet)
        await juliet.hears('subscribed', romeo)

        await removes()
        await juliet.hears('unsubscribed', romeo)
        juliet.probes(romeo)
        await juliet.reaches(romeo)
        await juliet.doesNotSee(romeo, { show: 'xa', note: 'gone' })
      }
    })
  })
}
