import { describe, test } from 'vitest'
import { grants, type Meet } from './scene.ts'

/** The users of a publicly unverified partner are strangers until the local user has added them, and when he has removed them. */
export function strangers(meet: Meet): void {
  describe('an unverified partner’s user', () => {
    test.each(grants)('stays out until the local user adds her (%s)', async grant => {
      const { romeo, juliet, gateway } = await meet('publicUnverified', grant)
      await juliet.isStrangerTo(romeo)
      await romeo.reaches(juliet) // she answers, and no more
      await romeo.putsIntoRoster(juliet) // a name in a list, and no more
      await juliet.isStrangerTo(romeo)

      romeo.says('subscribe', juliet)
      await juliet.hears('subscribe', romeo)
      await juliet.reaches(romeo)
      juliet.says('subscribed', romeo)
      await romeo.hears('subscribed', juliet)
      juliet.shows({ show: 'chat', note: 'at home' })
      await romeo.sees(juliet, { show: 'chat', note: 'at home' })

      juliet.says('subscribe', romeo)
      await romeo.hears('subscribe', juliet)
      romeo.says('subscribed', juliet)
      await juliet.hears('subscribed', romeo)
      romeo.shows({ show: 'dnd', note: 'in a meeting' })
      await juliet.sees(romeo, { show: 'dnd' })
      await gateway.crashes()
      juliet.probes(romeo)
      await juliet.sees(romeo, { show: 'dnd' })
      await juliet.reaches(romeo)
    })

    test.each(grants)('is a stranger again once she is removed (%s)', async grant => {
      const { romeo, juliet, gateway } = await meet('publicUnverified', grant)
      for (const removes of [
        async () => {
          romeo.says('unsubscribed', juliet)
          await juliet.hears('unsubscribed', romeo)
          romeo.says('unsubscribe', juliet)
          await juliet.hears('unsubscribe', romeo)
        },
        async () => {
          await romeo.dropsFromRoster(juliet)
          await juliet.hears('unsubscribe', romeo)
          await juliet.hears('unsubscribed', romeo)
        },
      ]) {
        await romeo.befriends(juliet)
        await juliet.reaches(romeo)
        await removes()
        await juliet.isStrangerTo(romeo)
        await juliet.doesNotSee(romeo, { show: 'xa', note: 'gone' })
      }
      await gateway.crashes()
      await juliet.isStrangerTo(romeo)
      await juliet.doesNotSee(romeo, { show: 'dnd', note: 'gone' })
    })

    test.each(grants)('is no stranger while one of both subscriptions stands (%s)', async grant => {
      const { romeo, juliet } = await meet('publicUnverified', grant)
      await romeo.befriends(juliet)
      romeo.says('unsubscribe', juliet)
      await juliet.hears('unsubscribe', romeo)
      await juliet.reaches(romeo)
      romeo.shows({ show: 'away' })
      await juliet.sees(romeo, { show: 'away' })
      romeo.says('unsubscribed', juliet)
      await juliet.hears('unsubscribed', romeo)
      await juliet.isStrangerTo(romeo)
    })
  })
}
