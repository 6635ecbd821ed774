import { writeSync } from 'node:fs'
import { ContactStore } from '../../src/store/contacts.ts'
import type { BareJid } from '../../src/xmpp/address.ts'

/**
 * Authorises contacts without end, ten at a time, and prints the last number of each ten once the store has said that they are
 * on disk; prints what is wrong where it says so. Run as a process of its own: it is killed, or its disk is full.
 */
const [path = ''] = process.argv.slice(2)
const store = ContactStore.open(path)
for (let i = 1; ; i++) {
  store.learn('romeo@contoso.com' as BareJid, `friend${i}@fabrikam.com` as BareJid, 'subscribe')
  if (i % 10 !== 0) continue
  const error = store.settle()
  writeSync(1, `${error?.message ?? i}\n`)
  if (error === undefined) continue
  writeSync(1, `${store.size} authorised\n`)
  break
}
