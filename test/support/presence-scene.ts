import { expect, onTestFinished } from 'vitest'
import type { PartnerType } from '../../src/policy/partner.ts'
import { type MemoryContacts, memoryContacts } from './contacts.ts'
import { domain } from './inbound-peer.ts'
import { fromInside, fromPartner, relayScene, type Scene } from './relay-scene.ts'

export const romeo = 'romeo@contoso.com'
export const juliet = 'juliet@fabrikam.com'
export const nurse = 'nurse@adatum.com'
export const types: Record<string, PartnerType> = {
  'fabrikam.com': 'federated',
  'adatum.com': 'publicVerified',
}

export const both = (from: string, to: string) => `from='${from}' to='${to}'`
export const advertisement = (perms: string, component = 'fabrikam.com', version = 2) =>
  `<message ${both('contoso.com', component)}><privilege xmlns='urn:xmpp:privilege:${version}'>${perms}</privilege></message>`
export const presence = "<perm access='presence' type='managed_entity'/>"
export const asks = (type: string, from = juliet, to = romeo) =>
  `<presence ${both(from, to)} type='${type}' id='a'/>`
export const says = (type: string, to = juliet) => `<presence ${both(romeo, to)} type='${type}'/>`
export const online = (
  resource: string,
  component = 'fabrikam.com',
  content = '<show>away</show><status>s</status>',
) => `<presence ${both(`${romeo}/${resource}`, component)}>${content}</presence>`
export const offline = (resource: string, component = 'fabrikam.com') =>
  `<presence ${both(`${romeo}/${resource}`, component)} type='unavailable'/>`
export const approved = (to = juliet) => `<presence type='subscribed' from='${romeo}' to='${to}' id='a'/>`
export const gone = (from: string, to = juliet) => `<presence type='unavailable' from='${from}' to='${to}'/>`

/** A relay whose inside grants presence to both components. */
export function granted(contacts: MemoryContacts = memoryContacts(), partners = types): Scene {
  const scene = relayScene(partners, contacts)
  onTestFinished(() => scene.relay.stop())
  for (const component of ['fabrikam.com', 'adatum.com'])
    fromInside(scene, advertisement(presence, component), component)
  return scene
}

/** What came out since the last time, without the names of the destinations; all on the way given. */
export function told(scene: Scene, way: 'in' | 'out' = 'out'): string[] {
  const sent = scene.sent.splice(0)
  expect(sent.filter(text => !text.startsWith(`${way} `))).toEqual([])
  return sent.map(text => text.slice(text.indexOf(': ') + 2))
}

/** Juliet is approved, and her component away. */
export function lost(): Scene {
  const scene = granted()
  fromPartner(scene, asks('subscribe'))
  scene.relay.componentLost(domain('fabrikam.com'))
  told(scene)
  return scene
}
