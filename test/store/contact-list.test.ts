import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { ContactPage } from '../../src/store/contact-list.ts'
import { ContactStore } from '../../src/store/contacts.ts'
import { bare } from '../support/contacts.ts'

const anybody = { local: undefined, remote: undefined }

/** A store with these pairs in it, written `local remote`. */
function storeWith(...pairs: readonly string[]): ContactStore {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const store = ContactStore.open(join(folder, 'gatehouse.db'))
  onTestFinished(() => void store.close())
  for (const pair of pairs) {
    const [local = '', remote = ''] = pair.split(' ')
    store.learn(bare(local), bare(remote), 'subscribe')
  }
  expect(store.settle()).toBeUndefined()
  return store
}

const names = ({ contacts }: ContactPage) => contacts.map(({ local, remote }) => `${local} ${remote}`)

describe('the list of contacts', () => {
  const pairs = [
    'a@contoso.com x@f.org',
    'a@contoso.com y@f.org',
    'b@contoso.com x@f.org',
    'b@it.org z@g.org',
  ]

  test('comes in pages, in order', () => {
    const store = storeWith(...pairs.toReversed())
    const first = store.list(anybody, 3)
    expect(names(first)).toEqual(pairs.slice(0, 3))
    const rest = store.list(anybody, 3, first.next)
    expect([names(rest), rest.next]).toEqual([pairs.slice(3), undefined])
  })

  test.each<{ local?: string; remote?: string; fits: readonly number[] }>([
    { local: 'a@contoso.com', fits: [0, 1] },
    { local: 'contoso.com', fits: [0, 1, 2] },
    { remote: 'x@f.org', fits: [0, 2] },
    { remote: 'f.org', fits: [0, 1, 2] },
    { local: 'it.org', remote: 'g.org', fits: [3] },
    { local: 'oso.com', fits: [] },
    { local: 'a@contoso.com', remote: 'g.org', fits: [] },
  ])('holds those of a user or of a domain: $local $remote', ({ local, remote, fits }) => {
    const filter = {
      local: local === undefined ? undefined : bare(local),
      remote: remote === undefined ? undefined : bare(remote),
    }
    expect(names(storeWith(...pairs).list(filter, 10))).toEqual(fits.map(at => pairs[at]))
  })

  test('looks at so many at a time, however few fit', () => {
    const store = storeWith(
      ...Array.from({ length: 10_500 }, (_, i) => `u${String(i).padStart(5, '0')}@contoso.com x@f.org`),
      'v@contoso.com last@f.org',
    )
    const filter = { local: undefined, remote: bare('last@f.org') }
    const empty = store.list(filter, 10)
    expect([empty.contacts, empty.next?.local]).toEqual([[], 'u09999@contoso.com'])
    const found = store.list(filter, 10, empty.next)
    expect([names(found), found.next]).toEqual([['v@contoso.com last@f.org'], undefined])
  })
})
