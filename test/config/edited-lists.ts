import {
  addPartners,
  changePartner,
  type Edited,
  removePartner,
  type WrittenPartner,
} from '../../src/config/partner-list.ts'
import { parseYaml } from '../../src/config/yaml-source.ts'
import { type Domain, parseDomain } from '../../src/xmpp/address.ts'

const domain = (name: string): Domain => parseDomain(name)!

/** The new text; of an edit that was refused, why. */
export const textOf = (edited: Edited): string =>
  'text' in edited ? edited.text : JSON.stringify(edited.refusals)

/** A partner to add. */
export const litware: WrittenPartner = { partnerType: 'federated', primaryDomain: 'litware.com' }

/** What comes of adding entries. */
export const add = (text: string, entries: readonly WrittenPartner[]): Edited =>
  addPartners(parseYaml('', text), entries)

/** The text with keys of a partner set. */
export const set = (text: string, name: string, values: WrittenPartner): string =>
  textOf(changePartner(parseYaml('', text), domain(name), { set: values, clear: [] }))

/** The text with keys of a partner cleared. */
export const clear = (text: string, name: string, ...keys: (keyof WrittenPartner)[]): string =>
  textOf(changePartner(parseYaml('', text), domain(name), { set: {}, clear: keys }))

/** The text without a partner. */
export const remove = (text: string, name: string): string =>
  textOf(removePartner(parseYaml('', text), domain(name)))

/** A list as people write it: comments everywhere, no two entries alike. */
export const list = `# yaml-language-server: $schema=partners.schema.json
# Our partners.

partners:   # in order of age
  # The oldest one.
  - primaryDomain:   fabrikam.com      # Supplier
    description: >-  # contract
      Supplier,
      contract 4711
    additionalDomains:
      # their labs
      - corp.fabrikam.com   # head office
      - "it.fabrikam.com"   # machines
    partnerType: 'federated'
    # tlsNegotiation: optional    # once they ask for it

  # Second.
  - { primaryDomain: northwind.example, partnerType: publicVerified,   keepAlive: true }   # by flow

  - description: |
      on two
      lines
    primaryDomain: xn--mnchen-3ya.example
    partnerType: publicUnverified
    saslNegotiation: notSupported # nothing else works
    additionalDomains: [
      a.example,   # the first
      b.example    # the second
    ]
    # the end of it
# The end.
`

/** The lines that differ: those gone with -, those new with +. */
export function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let head = 0
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) head++
  let tail = 0
  while (tail < Math.min(old.length, now.length) - head && old.at(-1 - tail) === now.at(-1 - tail)) tail++
  return [
    ...old.slice(head, old.length - tail).map(line => `-${line}`),
    ...now.slice(head, now.length - tail).map(line => `+${line}`),
  ]
}
