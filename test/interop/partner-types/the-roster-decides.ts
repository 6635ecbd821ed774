import { describe, test } from 'vitest'
import type { Meet } from './scene.ts'

/** Roster access is granted: what stands in the roster holds, whoever was there when it was written. */
export function theRosterDecides(meet: Meet): void {
  describe('an unverified partner’s user, where roster access is granted,', () => {
    test('is let in and kept out as the roster says, also if it changed while the gateway was down', async () => {
      const { romeo, juliet, gateway } = await meet('publicUnverified', 'granted')
      await juliet.isStrangerTo(romeo)
      await gateway.dies()
      romeo.says('subscribe', juliet)
      await romeo.hasOnRosterAsAsked(juliet)
      await gateway.comesBack()
      await juliet.reaches(romeo)

      await gateway.dies()
      await romeo.dropsFromRoster(juliet)
      await gateway.comesBack()
      await juliet.isStrangerTo(romeo)
    })

    test('is a stranger once the local user has dropped her who had not answered yet', async () => {
      const { romeo, juliet, gateway } = await meet('publicUnverified', 'granted')
      romeo.says('subscribe', juliet)
      await juliet.hears('subscribe', romeo)
      await juliet.reaches(romeo)
      // ejabberd says no word of it, so that it takes the gateway a minute, or a restart, to know.
      await romeo.dropsFromRoster(juliet)
      await gateway.crashes()
      await juliet.isStrangerTo(romeo)
    })
  })
}
