import { describe, expect, test } from 'vitest'
import { describeStanza } from '../../support/client.ts'
import { conditionOf, type Person } from './person.ts'
import { grants, type Meet } from './scene.ts'

/** A stranger cannot tell which addresses there are, neither by what comes back nor by when. */
export function noAddressIsTold(meet: Meet): void {
  describe('an unverified partner’s user who asks around', () => {
    test.each(grants)('is refused alike by those who exist and those who do not (%s)', async grant => {
      const { romeo, juliet } = await meet('publicUnverified', grant)
      const nobody = romeo.bare.replace('guest', 'nobody')
      const refusals = async (address: string) => ({
        message: await refusal(juliet, address, juliet.write(address)),
        request: await refusal(juliet, address, juliet.query(address)),
        'request of a client': await refusal(juliet, address, juliet.query(`${address}/anything`)),
        'change of a roster': await refusal(juliet, address, juliet.query(address, roster)),
        subscription: await juliet.asksToSee(address).then(stanza => plain(describeStanza(stanza), address)),
      })
      const [ofRomeo, ofNobody] = [await refusals(romeo.bare), await refusals(nobody)]
      expect(ofNobody).toEqual(ofRomeo)
      expect(ofRomeo.message).toContain('<forbidden')
      expect(ofRomeo.subscription).toContain("type='unsubscribed'")
      await romeo.hasHeardNothingFrom(juliet)
    })

    test.each(grants)('waits as long for either, the first time and again (%s)', async grant => {
      const { juliet, residents } = await meet('publicUnverified', grant)
      for (const _time of ['the first time', 'again']) {
        const times = { existing: [] as number[], missing: [] as number[] }
        for (const resident of residents) {
          times.existing.push(await refusalMs(juliet, resident))
          times.missing.push(await refusalMs(juliet, resident.replace('resident', 'nobody')))
        }
        const [existing, missing] = [usual(times.existing), usual(times.missing)]
        // Alike but for what else the machine has to do.
        expect(Math.max(existing, missing) / Math.min(existing, missing)).toBeLessThan(3)
      }
    })
  })
}

const roster = "<query xmlns='jabber:iq:roster'/>"

/** What came back, without that in which any two refusals differ. */
async function refusal(asker: Person, address: string, id: string): Promise<string> {
  return plain(describeStanza(await asker.answer(id)), address).replaceAll(id, 'ID')
}

async function refusalMs(asker: Person, address: string): Promise<number> {
  const startMs = performance.now()
  const refused = await asker.answer(asker.write(address))
  expect(conditionOf(refused)).toBe('forbidden')
  return performance.now() - startMs
}

function plain(stanza: string, address: string): string {
  return stanza.replaceAll(address, 'ADDRESS')
}

/** The lower quartile: a busy machine makes some tries slow, and none fast. */
function usual(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0
}
