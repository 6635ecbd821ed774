import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Proof, proveByCertificate } from '../src/identity/proof.ts'
import type { PartnerType } from '../src/policy/partner.ts'
import type { Contacts } from '../src/routing/gate.ts'
import { Relay } from '../src/routing/relay.ts'
import { ContactStore } from '../src/store/contacts.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { Reader, type Slice } from '../src/xml/reader.ts'
import type { Destination } from '../src/xml/run.ts'
import { parseDomain } from '../src/xmpp/address.ts'

// What the store of contacts costs: how long it takes to load, and what it adds to the relay of a stanza.
const rows = 1_000_000
const contactsOfEach = 100
const usersOfEach = 4
const stanzas = 20_000
const rounds = 41
const chunkBytes = 65_536
const most = { loadMs: 3000, addedPercent: 5 }

const local = parseDomain('contoso.com')!
const remote = parseDomain('fabrikam.com')!
const proofs: readonly Proof[] = [proveByCertificate({ local, remote }, 'valid')]
const header = "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>"

/** Row `i` of the store: each friend is a contact of several users. */
const user = (i: number) => `user${i % (rows / contactsOfEach)}@contoso.com`
const friend = (i: number) => `friend${Math.floor(i / usersOfEach)}@fabrikam.com`

/** Fills a database as the store makes it, quicker than the store would. */
function fill(path: string, userOf: (row: number) => string): void {
  ContactStore.open(path).close()
  const database = new DatabaseSync(path)
  const put = database.prepare("INSERT INTO contact VALUES (?, ?, 1, 1, 0, 'learned', NULL, NULL)")
  database.exec('BEGIN')
  for (let i = 0; i < rows; i++) put.run(userOf(i), friend(i))
  database.exec('COMMIT')
  database.close()
}

/** Fills a database and opens it as the gateway does when it starts. */
function load(path: string, userOf: (row: number) => string, spread: string) {
  fill(path, userOf)
  const startMs = performance.now()
  const store = ContactStore.open(path)
  const loadMs = performance.now() - startMs
  if (store.size !== rows) throw new Error(`${store.size} contacts were loaded`)
  console.log(`${rows} contacts, ${spread}, loaded in ${loadMs.toFixed(0)} ms (at most ${most.loadMs})`)
  return { store, loadMs }
}

/** Messages of 5000 contacts from all over the store, each to three users in turn, as one stream. */
function traffic(): readonly Buffer[] {
  const written: string[] = [header]
  for (let i = 0; i < stanzas; i++) {
    const row = ((i * 7919) % 5000) * 49 * usersOfEach + (Math.floor(i / 5000) % 3)
    written.push(
      `<message from='${friend(row)}/desk' to='${user(row)}' type='chat' id='m${i}'>` +
        `<body>The quick brown fox jumps over the lazy dog, message ${i}</body><active xmlns='http://jabber.org/protocol/chatstates'/>` +
        `<request xmlns='urn:xmpp:receipts'/><origin-id xmlns='urn:xmpp:sid:0' id='m${i}'/></message>`,
    )
  }
  const bytes = Buffer.from(written.join(''))
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes))
  return chunks
}

/** A relay for one partner of that type; `relayed` counts what got through. */
function relayFor(partnerType: PartnerType, contacts: Contacts) {
  const tally = { relayed: 0 }
  const destination: Destination = {
    send: run => {
      tally.relayed += run.stanzas
      return true
    },
    whenDrained: resume => resume(),
    isFull: false,
  }
  const ways = {
    isLocal: () => true,
    partnerType: () => partnerType,
    pong: () => false,
    inward: () => destination,
    outward: () => destination,
  }
  const quiet = { event() {}, debug() {}, info() {}, warn() {}, error() {} }
  return { tally, relay: new Relay(ways, contacts, { metrics: new Metrics(), log: quiet }) }
}

/** One way to relay the traffic, and the CPU time its rounds took. */
type Way = { readonly name: string; readonly run: () => number; readonly seconds: number[] }

function way(name: string, partnerType: PartnerType, contacts: Contacts, chunks: readonly Buffer[]): Way {
  const { relay, tally } = relayFor(partnerType, contacts)
  const run = () => {
    const before = tally.relayed
    const source = { pause() {}, resume() {}, declarations: new Map([['', 'jabber:server']]) }
    const sink = relay.fromPartner(source)
    const element = (slice: Slice) => sink.stanza(slice, proofs)
    const reader = new Reader('jabber:server', { header() {}, element, end() {} }, limits)
    for (const chunk of chunks) {
      reader.write(chunk)
      sink.flush()
    }
    return tally.relayed - before
  }
  return { name, run, seconds: [] }
}

/** The middle of what one way cost more than the other in the same round. */
function addedPercent(more: readonly number[], less: readonly number[]): number {
  return (middle(more.map((seconds, round) => seconds / less[round]!)) - 1) * 100
}

function middle(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)]!
}

const limits = { elementBytes: 262_144, depth: 64 }
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'))
try {
  const lonely = load(join(folder, 'lonely.db'), i => `user${i}@contoso.com`, 'one of each user')
  lonely.store.close()
  const { store, loadMs } = load(join(folder, 'gatehouse.db'), user, `${contactsOfEach} of each user`)

  const chunks = traffic()
  const everybody: Contacts = { version: 0, has: () => true, learn: () => 'nothing', settle: () => undefined }
  let changes = 0
  const restless: Contacts = {
    ...everybody,
    get version() {
      return changes++
    },
    has: (one, other) => store.has(one, other),
  }
  const ways = [
    way('federated: nothing is asked', 'federated', everybody, chunks),
    way('publicUnverified, without a store', 'publicUnverified', everybody, chunks),
    way('publicUnverified, with the store', 'publicUnverified', store, chunks),
    way('the same, were it to change all the time', 'publicUnverified', restless, chunks),
  ]
  // In turns, so that whatever else the machine does falls on all alike.
  for (let round = 0; round < rounds; round++) {
    for (const { name, run, seconds } of ways) {
      const { user, system } = process.cpuUsage()
      const relayed = run()
      const after = process.cpuUsage()
      seconds.push((after.user + after.system - user - system) / 1e6)
      if (relayed !== stanzas) throw new Error(`${name}: ${relayed} stanzas were relayed`)
    }
  }
  for (const { name, seconds } of ways) {
    console.log(
      `  ${name.padEnd(40)}${((middle(seconds) / stanzas) * 1e9).toFixed(0).padStart(6)} ns of CPU a stanza`,
    )
  }
  const [federated, without, withStore] = ways.map(({ seconds }) => seconds) as [number[], number[], number[]]
  const added = addedPercent(withStore, without)
  console.log(`the store adds ${added.toFixed(1)} % to the relay of a stanza (at most ${most.addedPercent})`)
  console.log(`partner type and store together add ${addedPercent(withStore, federated).toFixed(1)} %`)
  store.close()
  if (Math.max(loadMs, lonely.loadMs) > most.loadMs || added > most.addedPercent) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
