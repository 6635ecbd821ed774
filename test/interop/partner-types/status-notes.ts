import { describe, expect, test } from 'vitest'
import { describeStanza } from '../../support/client.ts'
import { follows, publishes, readsEventsUntil, readsItems } from './personal-events.ts'
import { type Meet, noteFor, partnerTypes } from './scene.ts'

/** What a user says of himself beside being there is for contacts of the federated type alone. */
export function statusNotes(meet: Meet): void {
  describe('a contact', () => {
    test.each(partnerTypes)('sees status notes if the partner is federated (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'not granted')
      await romeo.befriends(juliet)
      await juliet.catchesUpWith(romeo)
      romeo.shows({ show: 'dnd', note: 'in a meeting' })
      await juliet.sees(romeo, { show: 'dnd', ...noteFor(type, 'in a meeting') })
      romeo.leaves('gone fishing')
      await juliet.seesGone(romeo, noteFor(type, 'gone fishing'))
    })

    test.each(partnerTypes)('sees mood and activity if the partner is federated (%s)', async type => {
      const { romeo, juliet } = await meet(type, 'not granted')
      await romeo.befriends(juliet)
      await follows(juliet, romeo)
      for (const note of ['mood', 'activity'] as const) await publishes(romeo, note)
      await publishes(romeo, 'nick')
      const seen = await readsEventsUntil(juliet, romeo, 'nick')
      expect(seen).toEqual(type === 'federated' ? ['mood', 'activity', 'nick'] : ['nick'])
      for (const note of ['mood', 'activity', 'nick'] as const) {
        const items = await readsItems(juliet, romeo, note)
        expect(items.map(describeStanza)).toHaveLength(type === 'federated' || note === 'nick' ? 1 : 0)
      }
    })
  })
}
